import { isRunning, type SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatDuration, formatExact, formatPercent } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { outputSpeed, outputTokens, requestState, timeTaken } from "../../elements/request_state.ts";
import { facts, modelName, time, unknown } from "../../elements/words.ts";
import { toAddress } from "../now/filters.ts";
import { renderCost, totalInput } from "../now/rows.ts";

/** Renders the facts of a request. */
export function renderFacts(seen: SeenRequest, now: number): Html {
  const { firstEventAt, startedAt, session, correlationId, traceId, client, answeredBy } = seen;
  const speed = outputSpeed(seen, now);
  const output = outputTokens(seen);
  const isEstimate = isRunning(seen) && seen.outputTokens === undefined;
  return facts([
    { name: "Status", value: requestState(seen, now) },
    { name: "Started", value: time(startedAt, "full") },
    { name: "Time", value: formatDuration(timeTaken(seen, now)) },
    {
      name: "First token",
      value: firstEventAt === undefined ? unknown() : formatDuration(firstEventAt - startedAt),
    },
    { name: "Speed", value: speed === undefined ? unknown() : `${Math.round(speed)} tokens/s` },
    { name: "Input", value: renderInput(seen) },
    {
      name: "Output",
      value: output === undefined
        ? unknown()
        : markup`${formatExact(output)} tokens${isEstimate && markup` <span class="muted">estimated</span>`}`,
    },
    { name: "Cost", value: renderCost(seen) },
    { name: "Stop reason", value: seen.stopReason ?? unknown() },
    { name: "Answer", value: seen.streamed === true ? "event stream" : isRunning(seen) ? unknown() : "JSON" },
    { name: "Key", value: markup`<a href="${toAddress({ key: client })}">${client}</a>` },
    { name: "Client", value: seen.program ?? unknown() },
    { name: "Model", value: answeredBy === undefined ? unknown() : modelName(answeredBy), wide: true },
    session === undefined ? undefined : {
      name: "Session",
      value: markup`<a class="mono" href="${toAddress({ session })}">${session}</a>`,
      wide: true,
    },
    correlationId === seen.id
      ? undefined
      : { name: "Correlation id", value: markup`<span class="mono">${correlationId}</span>`, wide: true },
    traceId === undefined
      ? undefined
      : { name: "Trace", value: markup`<span class="mono">${traceId}</span>`, wide: true },
  ]);
}

function renderInput(seen: SeenRequest): Html {
  const total = totalInput(seen);
  if (total === undefined) return unknown();
  const cached = total > 0 &&
    markup` <span class="muted">${formatPercent((seen.cacheRead ?? 0) / total)} cached</span>`;
  return markup`${formatExact(total)} tokens${cached}`;
}
