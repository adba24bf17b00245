import { isExpected } from "../../../observability/failure_kind.ts";
import type { ErrorEntry } from "../../../observability/errors/error_entry.ts";
import type { ErrorGroup } from "../../../observability/traffic/error_groups.ts";
import { formatCount, formatNumber } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { facts, time, unknown } from "../../elements/words.ts";
import { actionFields, type ViewCall } from "../../view.ts";
import { toAddress } from "../now/filters.ts";
import { readPeriod, toAddress as toGroupAddress } from "./period.ts";
import { whatToDo } from "./what_to_do.ts";

const MAX_MESSAGE_CHARS = 300;

/** Renders one group: what to do, who is affected, the newest requests. `stored` is the entry of the newest error. */
export function renderDetail(call: ViewCall, group: ErrorGroup, stored: ErrorEntry | undefined): Html {
  const { type, status, count, firstAt, clients, models } = group;
  return markup`<header><h2 id="group">${type} ${status}, since ${time(firstAt, "short", call.now)}</h2><p>${
    formatNumber(count, "error")
  }, ${formatNumber(clients.length, "key")}, ${formatNumber(models.length, "model")}</p></header>
<div class="columns wide-left">
<div class="panel pad stack">${renderCause(group)}${renderFacts(group, stored)}${renderStored(stored)}${
    renderActions(call, group)
  }</div>
${renderRequests(group, call.now)}
</div>`;
}

function renderCause({ text, source }: ErrorGroup): Html {
  return text === ""
    ? markup`<p>Upstream <strong>${source}</strong> failed. Its own words may quote a request; only the stored entry has them.</p>`
    : markup`<p><q>${text}</q></p>`;
}

function renderFacts(group: ErrorGroup, stored: ErrorEntry | undefined): Html {
  const { status, models, clients, failure } = group;
  return facts([
    { name: "What to do", value: whatToDo(group) ?? unknown("Nothing is known for this error"), wide: true },
    { name: "Response to clients", value: markup`<code>${status}</code>` },
    { name: "Kind", value: isExpected(failure) ? `${failure}, expected` : failure },
    { name: "Models", value: models.length === 0 ? unknown() : models.join(", "), wide: true },
    {
      name: "Keys",
      value: clients.map((client, at) =>
        markup`${at > 0 && ", "}<a href="${toAddress({ key: client, status: "Failed" })}">${client}</a>`
      ),
    },
    stored && { name: "Client", value: readUserAgent(stored) },
  ]);
}

function readUserAgent({ request }: ErrorEntry): string {
  const { headers } = request;
  const agent = typeof headers === "object" && headers !== null && "user-agent" in headers
    ? headers["user-agent"]
    : undefined;
  return typeof agent === "string" ? agent.slice(0, 100) : "unknown";
}

function renderStored(stored: ErrorEntry | undefined): Html {
  if (stored === undefined) {
    return markup`<p class="hint">The entry of the newest error is not stored any more.</p>`;
  }
  const message = cutQuotes(stored.error_message).slice(0, MAX_MESSAGE_CHARS);
  return markup`<details class="more" id="stored"><summary>Stored message and stack</summary><pre tabindex="0" aria-label="Stored message and stack">${message}\n\n${
    toFrames(stored.stack_trace)
  }</pre></details>`;
}

/** Cuts quoted values over 40 characters: a message may quote a request. */
function cutQuotes(message: string): string {
  return message.replace(/(["'`])([^"'`]{40})[^"'`]*\1/g, "$1$2…$1");
}

/** Returns the lines of a stack that name code. The others repeat the message. */
function toFrames(stack: string): string {
  return stack.split("\n").filter((line) => /^\s+at /.test(line) || line === "caused by: ").join("\n");
}

function renderActions(call: ViewCall, { id, resolvedAt }: ErrorGroup): Html {
  const [action, word, hint] = resolvedAt === undefined
    ? ["resolve", "Mark as resolved", "Reopens when it happens again."]
    : ["reopen", "Reopen", "It is marked as resolved."];
  return markup`<div class="actions"><form method="post" action="${
    toGroupAddress(id, readPeriod(call.query))
  }">${
    actionFields(call, action)
  }<button type="submit">${word}</button></form><span class="hint">${hint}</span></div>`;
}

function renderRequests({ requests, count }: ErrorGroup, now: number): Html {
  return markup`<div class="panel scroll"><table aria-label="Newest requests of this group">
<thead><tr><th scope="col">Request</th><th scope="col">Key</th><th scope="col" class="num">Time</th></tr></thead>
<tbody>${
    requests.map(({ id, client, at }) =>
      markup`<tr><th scope="row" class="cut"><a class="mono" href="request?id=${
        encodeURIComponent(id)
      }">${id}</a></th><td class="fit">${client}</td><td class="num fit">${time(at, "short", now)}</td></tr>`
    )
  }</tbody>
${
    count > requests.length &&
    markup`<tfoot><tr><td colspan="3" class="muted">and ${
      formatCount(count - requests.length)
    } before</td></tr></tfoot>`
  }
</table></div>`;
}
