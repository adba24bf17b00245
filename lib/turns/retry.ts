import type { Message, MessagesRequest } from "../anthropic/schema.ts";
import type { Ask } from "../anthropic/ask.ts";
import { type Attempt, attempt, mostHopeful } from "./attempt.ts";
import { hostFacts, UpstreamError } from "../dialects/mod.ts";
import type { ApiError } from "../base/errors.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";

/** What a retry has to know. */
export interface RetryOptions {
  signal: AbortSignal;
  loss: LossReport;
  /** Whether the client would rather have the failure than a shorter answer. */
  strict: boolean;
}

/** Some providers give no shorter answer than this, in tokens. */
const SHORTEST = 16;

/**
 * Asks once more, before the answer has begun, where the same upstream can be asked otherwise: for an answer as short as
 * the account can pay (reported as `max_tokens;approximated`), without the provider that failed for no reason, or
 * without the thoughts that it does not take back (reported as dropped).
 *
 * The same question is repeated by {@linkcode send} alone, where the settings want that.
 */
export function withRetry(
  toAsk: (route: Route) => Ask,
  { signal, loss, strict }: RetryOptions,
): (route: Route) => Ask {
  return (route) =>
    async function* (request) {
      const failures: ApiError[] = [];
      let asked: Asked | undefined = { route, request };
      while (asked !== undefined) {
        const { answer, failure }: Attempt = await attempt(toAsk(asked.route)(asked.request), signal);
        if (answer !== undefined) return yield* answer;
        failures.push(failure);
        asked = amend(asked, failure, strict);
        if (asked?.shortened) loss.add("max_tokens", "approximated");
      }
      throw mostHopeful(failures);
    };
}

/** What was asked of whom. */
interface Asked {
  route: Route;
  request: MessagesRequest;
  shortened?: boolean;
}

/** What to ask instead, where that has a chance; each change is made once. */
function amend(asked: Asked, failure: ApiError, strict: boolean): Asked | undefined {
  const { route, request, shortened } = asked;
  const remedy = failure instanceof UpstreamError ? failure.remedy : undefined;
  if (remedy === undefined) return undefined;
  if ("avoid" in remedy) {
    const able = hostFacts(route.upstream.preset).excludesProviders && route.avoid === undefined;
    return able ? { ...asked, route: { ...route, avoid: remedy.avoid } } : undefined;
  }
  if ("forget" in remedy) {
    const able = route.forgetful !== true && request.messages.some(holdsThoughts);
    return able ? { ...asked, route: { ...route, forgetful: true } } : undefined;
  }
  const able = !strict && !shortened && isFit(request, remedy.shorten);
  return able
    ? { ...asked, request: { ...request, max_tokens: remedy.shorten }, shortened: true }
    : undefined;
}

function holdsThoughts({ content }: Message): boolean {
  return typeof content !== "string" && content.some(({ type }) => THOUGHTS.has(type));
}

const THOUGHTS = new Set(["thinking", "redacted_thinking"]);

/** Whether so many tokens are an answer: some, fewer than asked for, and more than are thought. */
function isFit({ max_tokens, thinking }: MessagesRequest, tokens: number): boolean {
  const thought = thinking?.type === "enabled" ? thinking.budget_tokens : 0;
  return tokens >= SHORTEST && tokens < max_tokens && tokens > thought;
}
