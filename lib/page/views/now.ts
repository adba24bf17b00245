import { isRunning, type SeenRequest } from "../../observability/traffic/seen_request.ts";
import { formatCount, formatDuration, formatNumber, formatSum } from "../elements/format.ts";
import { attributes, type Html, markup } from "../elements/html.ts";
import { time } from "../elements/words.ts";
import { type Page, type Part, partId, type View, type ViewCall } from "../view.ts";
import { lacksKey, renderEmpty, renderNoMatch } from "./now/empty.ts";
import { firstEventMs, type Hour, renderFigures, sumOf } from "./now/figures.ts";
import { type Filter, matches, readFilter, renderFilters, toAddress } from "./now/filters.ts";
import { toNotices } from "./now/notices.ts";
import { recentFailures } from "./now/recent_failures.ts";
import { readToday } from "./now/today.ts";
import { groupRow, HEADER, requestRow } from "./now/rows.ts";

/** Rows of requests that have ended, and of those that run. */
const MAX_ROWS = 50;
const HOUR_MINUTES = 60;

/** What runs, and what has happened in the last hour. */
export const now: View = {
  name: "",
  label: "Now",
  shortcut: "n",
  async render(call) {
    const { gateway, now } = call;
    const { minutes, newest } = gateway.operations.traffic;
    const hour: Hour = {
      now,
      minutes: minutes.list(now, HOUR_MINUTES),
      before: minutes.list(now, 2 * HOUR_MINUTES, HOUR_MINUTES),
      seen: newest(now),
      today: await readToday(call),
    };
    return {
      title: toTitle(hour),
      sentence: toSentence(call, hour),
      notices: toNotices(gateway, hour.seen, now),
      parts: [
        { id: "figures", html: renderFigures(hour) },
        renderRequests(call, hour),
      ],
      live: 1,
    };
  },
};

function toTitle({ minutes, seen }: Hour): Page["title"] {
  const running = seen.filter(isRunning).length;
  const failed = sumOf(minutes, "failed");
  return `Now: ${running} running, ${formatNumber(failed, "error")} this hour`;
}

/** Returns the state of the gateway in words. */
function toSentence({ gateway, now }: ViewCall, { minutes, seen }: Hour): Html {
  const { startedAt } = gateway.operations.counters;
  if (seen.length === 0) {
    const keyless = lacksKey(gateway) && markup` No upstream has a key: only <code>demo/echo</code> answers.`;
    return markup`<strong>No request yet</strong> since the start ${
      formatDuration(now - startedAt)
    } ago.${keyless}`;
  }
  const running = seen.filter(isRunning).length;
  const first = running === 0 ? "No request runs." : `${formatNumber(running, "request")} running.`;
  const [requests, failed, refused] = [
    sumOf(minutes, "requests"),
    sumOf(minutes, "failed"),
    sumOf(minutes, "refused"),
  ];
  const recent = recentFailures(minutes, now);
  const ofThem = recent &&
    markup`, ${recent.count === failed ? "all" : recent.count} of them since ${time(recent.since, "minute")}`;
  return markup`<strong>${first}</strong> ${formatCount(requests)} in the last hour, ${
    failed === 0 ? "none" : formatCount(failed)
  } failed${ofThem}${refused > 0 && `; ${formatCount(refused)} refused by limits`}. ${
    formatSum(sumOf(minutes, "usd"))
  } spent in this hour.`;
}

function renderRequests({ gateway, query, host, now }: ViewCall, hour: Hour): Part {
  const { seen, minutes } = hour;
  const filter = readFilter(query);
  if (seen.length === 0) {
    const html = markup`<section aria-labelledby="requests" id="${
      partId("requests")
    }"><h2 class="sr" id="requests">Requests</h2>${renderEmpty(gateway, `http://${host}`)}</section>`;
    return { id: "requests", html };
  }
  const found = seen.filter((request) => matches(request, filter));
  const p95 = firstEventMs(minutes, 0.95);
  const inner: Part[] = found.length === 0
    ? [{ id: "no-match", html: markup`<div id="${partId("no-match")}">${renderNoMatch()}</div>` }]
    : [
      renderRunning(found.filter(isRunning), now, p95),
      renderEnded(found.filter((request) => !isRunning(request)), filter, now, p95),
    ];
  const list = found.length === 0
    ? inner[0]?.html
    : markup`<div class="panel scroll" data-rows><table class="pinned" aria-labelledby="requests">${HEADER}${
      inner.map(({ html }) => html)
    }</table></div>`;
  return {
    id: "requests",
    html: markup`<section aria-labelledby="requests" class="stack tight"><h2 id="requests">Requests</h2>${
      renderFilters(filter, seen)
    }${list}<p class="hint">Kept in memory: the newest 2,000 messages of 24 hours. No prompts, no answers.</p></section>`,
    inner,
  };
}

function renderRunning(running: readonly SeenRequest[], now: number, p95: number | undefined): Part {
  const rows = running.slice(0, MAX_ROWS).map((request) => requestRow(request, now, p95));
  return {
    id: "running",
    html: markup`<tbody id="${partId("running")}"${attributes({ hidden: running.length === 0 })}>${
      groupRow("Running", formatCount(running.length))
    }${rows}</tbody>`,
  };
}

function renderEnded(
  ended: readonly SeenRequest[],
  filter: Filter,
  now: number,
  p95: number | undefined,
): Part {
  const shown = ended.slice(0, MAX_ROWS);
  const last = shown.at(-1);
  const older = ended.length > shown.length && last !== undefined &&
    markup`<tr><td colspan="13"><a href="${
      toAddress({ ...filter, before: last.startedAt })
    }">Older requests</a></td></tr>`;
  return {
    id: "finished",
    html: markup`<tbody id="${partId("finished")}"${attributes({ hidden: ended.length === 0 })}>${
      groupRow(
        filter.before === undefined ? "Ended" : "Ended before",
        `${formatCount(ended.length)}, newest first`,
      )
    }${shown.map((request) => requestRow(request, now, p95))}${older}</tbody>`,
  };
}
