import { isExpected } from "../../../observability/failure_kind.ts";
import type { ErrorGroup } from "../../../observability/traffic/error_groups.ts";
import { sparkBars } from "../../elements/charts.ts";
import { formatCount, formatNumber } from "../../elements/format.ts";
import { attributes, type Html, markup } from "../../elements/html.ts";
import { tag, time } from "../../elements/words.ts";
import { countsOf, type Period, sumOf, toAddress } from "./period.ts";

const HOUR_MS = 3_600_000;

/** Renders the groups of errors of a period; `chosen` is shown in detail below. */
export function renderGroups(
  groups: readonly ErrorGroup[],
  chosen: ErrorGroup | undefined,
  { period, now }: { period: Period; now: number },
): Html {
  return markup`<div class="panel scroll" data-rows><table class="pinned" aria-labelledby="groups">
<thead><tr>
<th scope="col">Error</th>
<th scope="col" class="over-m">Source</th>
<th scope="col" class="num">Count</th>
<th scope="col" class="over-l">${period.words}</th>
<th scope="col" class="over-l">Keys</th>
<th scope="col" class="num over-m">First</th>
<th scope="col" class="num">Last</th>
<th scope="col" class="over-m">State</th>
</tr></thead>
<tbody>${groups.map((group) => renderGroup(group, group === chosen, { period, now }))}</tbody>
</table></div>`;
}

function renderGroup(
  group: ErrorGroup,
  isChosen: boolean,
  { period, now }: { period: Period; now: number },
): Html {
  const { id, type, status, text, source, clients, firstAt, lastAt, models } = group;
  const counts = countsOf(group, period, now);
  const count = sumOf(counts);
  const stateTag = renderState(group, now);
  const what = text === "" ? models.slice(0, 3).join(", ") : text;
  return markup`<tr${attributes({ "aria-current": isChosen && "true" })}>
<th scope="row"><a href="${
    toAddress(id, period)
  }#group"><strong>${type} ${status}</strong></a><span class="sub text">${what}</span><span class="sub narrow">${source} · ${
    stateWord(group, now)
  }</span></th>
<td class="over-m nowrap">${source}</td>
<td class="num fit">${formatCount(count)}</td>
<td class="spark-cell over-l">${
    sparkBars(counts, { label: `${formatNumber(count, "error")} in ${period.words}` })
  }</td>
<td class="over-l key" title="${clients.join(", ")}">${clients.join(", ")}</td>
<td class="num fit over-m">${time(firstAt, "short", now)}</td>
<td class="num fit">${time(lastAt, "short", now)}</td>
<td class="fit over-m">${stateTag}</td>
</tr>`;
}

/** Returns the state of a group: `resolved`, `expected`, `reopened`, `new`, `ongoing` or `earlier`. */
export function stateWord(
  { failure, resolvedAt, reopened, firstAt, lastAt }: ErrorGroup,
  now: number,
): string {
  if (resolvedAt !== undefined) return "resolved";
  if (isExpected(failure)) return "expected";
  if (reopened) return "reopened";
  if (firstAt > now - 2 * HOUR_MS) return "new";
  return lastAt > now - HOUR_MS ? "ongoing" : "earlier";
}

/** Renders the state of a group. */
export function renderState(group: ErrorGroup, now: number): Html {
  const word = stateWord(group, now);
  return tag(word, word === "new" || word === "reopened" ? "bad" : word === "ongoing" ? "warn" : undefined);
}
