import type { Caller } from "../../access/caller.ts";
import type { MessageDelta, StreamEvent } from "../../anthropic/events.ts";
import { toApiError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { redact } from "../../base/redact.ts";
import { toLabel } from "../../observability/label.ts";
import type { TurnEnd } from "../../observability/request_observer.ts";
import {
  isRunning,
  MAX_HEADER_CHARS,
  MAX_NAME_CHARS,
  type SeenRequest,
  type SeenStep,
} from "../../observability/traffic/seen_request.ts";
import { addStep, type Traffic } from "../../observability/traffic/traffic.ts";
import { listPriceOf } from "../../upstreams/list_price.ts";
import type { TokenCounts } from "../../tokens/price.ts";
import { toRouteLabel } from "../../upstreams/route_label.ts";
import type { Retry } from "../../upstreams/send.ts";
import type { Route } from "../../upstreams/upstream.ts";

/** The routes whose requests are shown one by one on the operator's page. */
const MESSAGE_ROUTES: ReadonlySet<string> = new Set(["POST /v1/messages", "POST /v1/messages/stream"]);

/** True if requests of a route are messages. */
export function isMessageRoute(route: string): boolean {
  return MESSAGE_ROUTES.has(route);
}

/** What is known of a message when its caller is. */
export interface SeenLogStart {
  id: string;
  startedAt: number;
  caller: Caller;
  correlationId: string;
  traceId: string | undefined;
  headers: Headers;
}

/** Writes what happens to one message for the operator's page. Each call is a few assignments. */
export class SeenLog {
  readonly seen: SeenRequest;
  readonly #now: () => number;
  readonly #admission: SeenStep;
  /** True once the answer has its own usage. */
  #hasUsage = false;

  constructor(
    traffic: Traffic,
    { id, startedAt, caller, correlationId, traceId, headers }: SeenLogStart,
    now: () => number,
  ) {
    this.#now = now;
    this.seen = traffic.begin({
      id,
      startedAt,
      client: caller.client.slice(0, 64),
      session: caller.sessionId && toLabel(caller.sessionId.slice(0, 64)),
      program: readProgram(headers.get("user-agent") ?? ""),
      // One of the client is another with each request: it is not worth a place among the labels.
      correlationId: correlationId === id ? id : redact(correlationId),
      traceId,
    });
    this.#admission = this.#add({ kind: "admission", name: this.seen.client });
  }

  addRoute(route: Route, asked: string | undefined): void {
    const { seen } = this;
    this.#end(this.#admission, "ok");
    const name = toLabel(toRouteLabel(route).slice(0, MAX_NAME_CHARS));
    if (asked !== undefined) seen.model ??= toLabel(asked.slice(0, MAX_NAME_CHARS));
    if (seen.answeredBy !== undefined) seen.fallbacks++;
    this.#add({ kind: seen.answeredBy === undefined ? "routed" : "fallback", name });
    seen.answeredBy = name;
    seen.price = listPriceOf(route);
  }

  startTurn(name: string): (end: TurnEnd) => void {
    const { seen } = this;
    seen.turns++;
    if (isRunning(seen)) seen.state = "waiting";
    const step = this.#add({ kind: "turn", name: toLabel(name) });
    return ({ usage, stopReason, error }) => {
      this.#end(step, error === undefined ? "ok" : "failed");
      step.inputTokens = usage?.inputTokens;
      step.outputTokens = usage?.outputTokens;
      step.stopReason = stopReason?.slice(0, MAX_NAME_CHARS);
      if (error === undefined) return;
      const { status, type } = toApiError(error);
      step.status = status;
      step.errorType = type;
    };
  }

  startTool(name: string): (outcome: string) => void {
    const { seen } = this;
    seen.tools++;
    if (isRunning(seen)) seen.state = "tool";
    seen.tool = toLabel(name.slice(0, MAX_NAME_CHARS));
    const step = this.#add({ kind: "tool", name: seen.tool });
    return (outcome) => {
      this.#end(step, outcome);
      if (seen.state === "tool") seen.state = "waiting";
    };
  }

  addRetry(upstream: string, { status, waited }: Retry): void {
    this.seen.retries++;
    const step = this.#add({ kind: "retry", name: upstream });
    step.status = status;
    step.took = waited;
    step.from = Math.max(0, step.from - waited);
  }

  addRemedy(change: string): void {
    this.seen.remedies++;
    this.#add({ kind: "remedy", name: toLabel(change.slice(0, MAX_NAME_CHARS)) });
  }

  /** Keeps the headers of the answer that say how it was made. */
  addHeaders(headers: Headers): void {
    this.seen.headers = SHOWN_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [`${name}: ${toHeaderText(value)}`];
    });
  }

  /** Follows the events of the answer, without their content. */
  addEvents(batch: readonly StreamEvent[]): void {
    const { seen } = this;
    if (!isRunning(seen)) return;
    seen.firstEventAt ??= this.#now();
    for (const event of batch) {
      if (event.type === "content_block_delta") {
        const { text, thinking, partial_json: json } = event.delta;
        const content = text ?? thinking ?? json;
        if (typeof content === "string") seen.outputChars += content.length;
        seen.state = thinking === undefined ? "streaming" : "thinking";
      } else if (event.type === "message_delta") this.#addUsage(event.usage);
    }
  }

  /** Adds the tokens of a turn, which are those of the answer if it ends without usage, and sets the cost so far. */
  addTurnUsage({ input, output, cacheRead, cacheWrite }: TokenCounts, usd: number | undefined): void {
    const { seen } = this;
    seen.usd = usd;
    if (this.#hasUsage) return;
    seen.inputTokens = (seen.inputTokens ?? 0) + input;
    seen.outputTokens = (seen.outputTokens ?? 0) + output;
    seen.cacheRead = (seen.cacheRead ?? 0) + cacheRead;
    seen.cacheWrite = (seen.cacheWrite ?? 0) + cacheWrite;
  }

  #addUsage(usage: MessageDelta["usage"]): void {
    const { seen } = this;
    this.#hasUsage = true;
    seen.inputTokens = usage.input_tokens ?? seen.inputTokens;
    seen.outputTokens = usage.output_tokens;
    seen.cacheRead = usage.cache_read_input_tokens ?? seen.cacheRead;
    seen.cacheWrite = usage.cache_creation_input_tokens ?? seen.cacheWrite;
    const details = usage["output_tokens_details"];
    const thinking = isObject(details) ? details["thinking_tokens"] : undefined;
    if (typeof thinking === "number") seen.thinkingTokens = thinking;
  }

  #add({ kind, name }: Pick<SeenStep, "kind" | "name">): SeenStep {
    return addStep(this.seen, {
      kind,
      name,
      from: this.#now() - this.seen.startedAt,
      took: undefined,
      outcome: undefined,
      status: undefined,
      errorType: undefined,
      inputTokens: undefined,
      outputTokens: undefined,
      stopReason: undefined,
    });
  }

  #end(step: SeenStep, outcome: string): void {
    step.took ??= this.#now() - this.seen.startedAt - step.from;
    step.outcome ??= outcome.slice(0, MAX_NAME_CHARS);
  }
}

/** Headers that the gateway adds to an answer. */
const SHOWN_HEADERS = [
  "x-gateway-model",
  "x-gateway-loss",
  "request-id",
  "x-upstream-request-id",
  "x-correlation-id",
  "retry-after",
];

function toHeaderText(value: string): string {
  const text = redact(value.slice(0, MAX_HEADER_CHARS));
  return value.length > MAX_HEADER_CHARS ? `${text}…` : text;
}

/** `claude-cli/2.1.291 (external, cli)` -> `claude-cli/2.1.291` */
function readProgram(userAgent: string): string | undefined {
  const program = /^[\w.@/-]{1,64}/.exec(userAgent)?.[0];
  return program && toLabel(program);
}
