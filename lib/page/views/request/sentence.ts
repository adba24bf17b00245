import { isRunning, type SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatDuration, formatNumber } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { stateWord, timeTaken } from "../../elements/request_state.ts";

/** Returns in words what became of a request: who answered, and why that one. */
export function toSentence(seen: SeenRequest, now: number): Html {
  return markup`<strong>${toFirstClause(seen, now)}</strong>${toAnswerer(seen)}${toWork(seen)}${
    toLosses(seen)
  }`;
}

function toFirstClause(seen: SeenRequest, now: number): string {
  const time = formatDuration(timeTaken(seen, now));
  if (isRunning(seen)) return `${stateWord(seen, now)}, for ${time} so far.`;
  switch (seen.state) {
    case "finished":
      return seen.fallbacks > 0
        ? `Finished after ${time}, answered by a fallback.`
        : `Finished after ${time}.`;
    case "refused":
      return `Refused with ${seen.status} by a limit of the gateway, which is expected.`;
    case "cancelled":
      return `Cancelled by the client after ${time}.`;
    default:
      return seen.firstEventAt === undefined
        ? `Failed with ${seen.status} before an answer began.`
        : `Failed after ${time}, when its answer had begun.`;
  }
}

function toAnswerer(seen: SeenRequest): Html | undefined {
  const { model, answeredBy, state, steps } = seen;
  if (answeredBy === undefined) {
    return model === undefined ? undefined : markup` The client asked for <code>${model}</code>.`;
  }
  const failed = new Set(
    steps.filter(({ kind, outcome }) => kind === "turn" && outcome === "failed").map(({ name }) => name),
  );
  failed.delete(answeredBy);
  const before = failed.size > 0 && ` ${[...failed].join(" and ")} failed;`;
  const verb = state === "finished" ? "answered" : isRunning(seen) ? "is asked" : "was asked last";
  const asked = model !== undefined && model !== answeredBy &&
    markup` The client asked for <code>${model}</code>;`;
  return markup`${asked}${before} ${answeredBy} ${verb}.`;
}

function toWork({ turns, tools, retries, remedies }: SeenRequest): string | undefined {
  const parts = [
    ...(turns > 1 ? [formatNumber(turns, "turn")] : []),
    ...(tools > 0 ? [formatNumber(tools, "tool call")] : []),
    ...(retries > 0 ? [formatNumber(retries, "retry", "retries")] : []),
    ...(remedies > 0 ? [formatNumber(remedies, "repair")] : []),
  ];
  return parts.length === 0 ? undefined : ` It took ${parts.join(", ")}.`;
}

function toLosses({ losses, moreLosses }: SeenRequest): string | undefined {
  const count = losses.length + moreLosses;
  if (count === 0) return undefined;
  return ` ${formatNumber(count, "part")} of the request could not be sent as written.`;
}
