import { ApiError } from "../../base/errors.ts";
import { isRunning, type SeenRequest } from "../../observability/traffic/seen_request.ts";
import { formatNumber } from "../elements/format.ts";
import { type Html, type HtmlValue, markup } from "../elements/html.ts";
import { stateWord } from "../elements/request_state.ts";
import { copyButton } from "../elements/words.ts";
import { type Notice, type Page, type Part, part, partId, type View, type ViewCall } from "../view.ts";
import { renderFacts } from "./request/facts.ts";
import { renderLosses } from "./request/losses.ts";
import { makeFixture, renderRecorded, replayRequest } from "./request/recorded.ts";
import { toSentence } from "./request/sentence.ts";
import { renderTimeline } from "./request/timeline.ts";
import { renderUsage } from "./request/usage.ts";

/** One request: who answered, when, at what cost, and what was lost on the way. */
export const request: View = {
  name: "request",
  label: "Request",
  hidden: true,
  render(call) {
    const id = call.query.get("id") ?? "";
    const seen = call.gateway.operations.traffic.find(id);
    return seen === undefined ? renderUnknown(id) : renderRequest(call, seen);
  },
  actions: {
    replay: (call) => act(call, replayRequest),
    fixture: (call) => act(call, makeFixture),
  },
};

const CRUMB = markup`<a href=".">Now</a> / Request`;

async function act(call: ViewCall, run: (call: ViewCall, id: string) => Promise<void>): Promise<string> {
  const id = call.query.get("id") ?? "";
  if (call.gateway.operations.traffic.find(id) === undefined) {
    throw new ApiError("not_found_error", "Cannot use the recording: its request is no longer known");
  }
  await run(call, id);
  return `request?id=${encodeURIComponent(id)}#recorded`;
}

function renderRequest(call: ViewCall, seen: SeenRequest): Page {
  const { now } = call;
  const { id } = seen;
  return {
    title: `Request ${id}: ${stateWord(seen, now)}`,
    heading: markup`<span class="mono">${id}</span> ${copyButton(id, "the request id", { first: true })}`,
    crumb: CRUMB,
    sentence: toSentence(seen, now),
    notices: toNotices(call, seen),
    tools: renderNeighbors(call, seen),
    parts: [
      section("facts", "Facts", markup`<div class="panel pad">${renderFacts(seen, now)}</div>`, {
        hidden: true,
      }),
      section("timeline", "Timeline", renderTimeline(seen, now)),
      [
        section("losses", "Losses", renderLosses(seen)),
        section("usage", "Usage and cost", renderUsage(seen), { note: "USD per 1M tokens" }),
      ],
      [
        section("headers", "Response headers", renderHeaders(seen), { note: "As sent to the client" }),
        section("recorded", "Recorded", renderRecorded(call, seen)),
      ],
    ],
    live: isRunning(seen) ? 1 : undefined,
  };
}

function renderHeaders({ headers }: SeenRequest): Html {
  return headers.length === 0
    ? markup`<p class="panel pad muted">The answer has not begun.</p>`
    : markup`<pre class="panel log" tabindex="0" aria-label="Response headers">${headers.join("\n")}</pre>`;
}

function section(
  id: string,
  name: string,
  content: HtmlValue,
  { note, hidden = false }: { note?: string; hidden?: boolean } = {},
): Part {
  const heading = hidden
    ? markup`<h2 class="sr" id="${id}">${name}</h2>`
    : markup`<header><h2 id="${id}">${name}</h2>${note !== undefined && markup`<p>${note}</p>`}</header>`;
  return {
    id,
    html: markup`<section aria-labelledby="${id}" id="${partId(id)}">${heading}${content}</section>`,
  };
}

function toNotices({ gateway }: ViewCall, { failure, errorType, errorGroup, status }: SeenRequest): Notice[] {
  const group = errorGroup === undefined ? undefined : gateway.operations.traffic.errors.find(errorGroup);
  if (failure === undefined || group === undefined) return [];
  const text = group.text === "" ? `The upstream ${group.source} failed` : group.text;
  return [{
    kind: failure === "limit" ? "warn" : "bad",
    word: errorType ?? String(status),
    text: markup`${text}. ${formatNumber(group.count, "request")} failed so.`,
    link: { href: `errors?group=${encodeURIComponent(group.id)}`, text: "See the group" },
  }];
}

/** Renders links to the requests before and after this one. */
function renderNeighbors({ gateway, now }: ViewCall, seen: SeenRequest): Html {
  const all = gateway.operations.traffic.newest(now);
  const at = all.indexOf(seen);
  const link = (to: SeenRequest | undefined, word: string, rel: string) =>
    to && markup`<a class="button" href="request?id=${encodeURIComponent(to.id)}" rel="${rel}">${word}</a>`;
  return markup`<nav class="actions" aria-label="Requests">${link(all[at - 1], "Newer", "prev")}${
    link(all[at + 1], "Older", "next")
  }</nav>`;
}

function renderUnknown(id: string): Page {
  return {
    title: "Request: not known",
    crumb: CRUMB,
    sentence:
      markup`<strong>No request with this id is known.</strong> The page keeps the newest 2,000 messages of the last 24 hours, since the start of the gateway.`,
    parts: [part(
      "unknown",
      markup`<div class="panel empty"><h2>Look for its log line</h2><p>The log has one line for each request, with its id${
        id !== "" && markup`: <code>${id.slice(0, 100)}</code>`
      }. Failed requests are stored as long as <code>LOG_RETENTION</code> says.</p><a class="button" href=".">Back to Now</a></div>`,
    )],
    status: 404,
  };
}
