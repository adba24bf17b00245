import { isRunning, type SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatCost, formatDuration, formatPercent } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import {
  isSlow,
  outputSpeed,
  outputTokens,
  requestState,
  stateWord,
  timeTaken,
} from "../../elements/request_state.ts";
import { count, modelName, tag, tags, time, unknown } from "../../elements/words.ts";
import { toAddress } from "./filters.ts";

/** Number of columns of the table. */
const COLUMNS = 13;

/** Header of the table of requests. */
export const HEADER = markup`<thead><tr>
<th scope="col" class="short"><span class="word">State</span></th>
<th scope="col" class="over-m">Started</th>
<th scope="col">Model</th>
<th scope="col" class="over-m">Key</th>
<th scope="col" class="over-l">Session</th>
<th scope="col" class="num over-s">First token</th>
<th scope="col" class="num over-m">Time</th>
<th scope="col" class="num over-l">Tokens/s</th>
<th scope="col" class="num over-l">Input</th>
<th scope="col" class="num over-xl">Cached</th>
<th scope="col" class="num over-s">Output</th>
<th scope="col" class="num">Cost</th>
<th scope="col" class="over-l">Notes</th>
</tr></thead>`;

/** Renders the row above a group of requests. */
export function groupRow(name: string, note: string): Html {
  return markup`<tr><th class="group" colspan="${COLUMNS}" scope="rowgroup"><strong>${name}</strong> ${note}</th></tr>`;
}

/** Renders the row of a request. `p95Ms` is the time to the first event that few requests exceed. */
export function requestRow(seen: SeenRequest, now: number, p95Ms: number | undefined): Html {
  const { startedAt, client, session, firstEventAt } = seen;
  const taken = formatDuration(timeTaken(seen, now));
  const notes = toNotes(seen, now, p95Ms);
  const speed = outputSpeed(seen, now);
  return markup`<tr>
<td class="fit short">${requestState(seen, now, p95Ms)}</td>
<td class="fit over-m">${time(startedAt, "time")}</td>
<th scope="row" class="cut">${renderRoute(seen)}<span class="sub narrow">${
    renderSecondLine(seen, now, notes, p95Ms)
  }</span></th>
<td class="fit over-m key"><a href="${toAddress({ key: client })}">${client}</a></td>
<td class="fit over-l">${
    session === undefined
      ? unknown()
      : markup`<a class="mono" href="${toAddress({ session })}">${session.slice(0, 8)}</a>`
  }</td>
<td class="num fit over-s">${
    firstEventAt === undefined ? unknown() : formatDuration(firstEventAt - startedAt)
  }</td>
<td class="num fit over-m">${taken}</td>
<td class="num fit over-l">${speed === undefined ? unknown() : Math.round(speed)}</td>
<td class="num fit over-l">${count(totalInput(seen))}</td>
<td class="num fit over-xl">${renderCached(seen)}</td>
<td class="num fit over-s">${count(outputTokens(seen))}</td>
<td class="num fit">${renderCost(seen)}<span class="sub narrow">${taken}</span></td>
<td class="fit over-l">${tags(notes.map(({ word, kind }) => tag(word, kind)))}</td>
</tr>`;
}

function renderRoute(seen: SeenRequest): Html {
  const { model, answeredBy, id } = seen;
  const shown = answeredBy ?? model;
  const link = markup`<a href="request?id=${encodeURIComponent(id)}">${
    shown === undefined ? "no model" : modelName(shown)
  }</a>`;
  const isAlias = model !== undefined && answeredBy !== undefined && !answeredBy.endsWith(model);
  return markup`<span class="route">${
    isAlias &&
    markup`<span class="asked">${model}</span> <span class="muted" aria-hidden="true">→</span><span class="sr"> answered by</span> `
  }${link}</span>`;
}

/** Repeats on narrow screens what their hidden columns say. */
function renderSecondLine(
  seen: SeenRequest,
  now: number,
  notes: readonly { word: string }[],
  p95Ms: number | undefined,
): Html {
  const facts = [seen.client, ...notes.map(({ word }) => word)].join(" · ");
  return isRunning(seen)
    ? markup`<span aria-hidden="true">${stateWord(seen, now, p95Ms)} · </span>${facts}`
    : markup`${facts} · ${time(seen.startedAt, "time")}`;
}

/** Returns the facts beside a row; those of zero are left out. */
function toNotes(
  seen: SeenRequest,
  now: number,
  p95Ms: number | undefined,
): { word: string; kind?: "warn" | "bad" }[] {
  const { turns, fallbacks, retries, remedies, tools, losses, moreLosses, failure } = seen;
  const number = (count: number, noun: string, plural = `${noun}s`) =>
    count === 0 ? [] : [{ word: `${count} ${count === 1 ? noun : plural}` }];
  return [
    ...(isSlow(seen, now, p95Ms) ? [{ word: "slow", kind: "warn" as const }] : []),
    ...(failure === "limit" ? [{ word: seen.errorType === "billing_error" ? "budget" : "limit" }] : []),
    ...(seen.state === "failed" && seen.errorType !== undefined
      ? [{ word: seen.errorType.replace(/_error$/, "").replaceAll("_", " "), kind: "bad" as const }]
      : []),
    ...number(fallbacks, "fallback"),
    ...number(retries, "retry", "retries"),
    ...(remedies > 0 ? [{ word: "repaired" }] : []),
    ...(isRunning(seen) && turns > 1 ? [{ word: `turn ${turns}` }] : []),
    ...number(tools, "tool"),
    ...number(losses.length + moreLosses, "loss", "losses"),
  ];
}

/** Returns the input tokens, those read from the cache included. */
export function totalInput({ inputTokens, cacheRead = 0, cacheWrite = 0 }: SeenRequest): number | undefined {
  return inputTokens === undefined ? undefined : inputTokens + cacheRead + cacheWrite;
}

function renderCached(seen: SeenRequest): Html {
  const total = totalInput(seen);
  if (total === undefined || total === 0 || seen.cacheRead === undefined || seen.cacheRead === 0) {
    return unknown();
  }
  return markup`${formatPercent(seen.cacheRead / total)}`;
}

/** Renders the cost of a request: `≈` is by list price. A request without usage has none. */
export function renderCost(seen: SeenRequest): Html {
  const { usd, costReported, outputTokens } = seen;
  if (usd !== undefined) {
    const mark = costReported !== true && usd > 0;
    return markup`${mark && markup`<span class="muted" title="By list price">≈</span>`}${formatCost(usd)}`;
  }
  if (isRunning(seen) || outputTokens === undefined) return unknown();
  return markup`<span class="muted">no price</span>`;
}
