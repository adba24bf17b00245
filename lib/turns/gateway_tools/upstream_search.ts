import { CHARS_PER_TOKEN } from "../../base/chars_per_token.ts";
import * as v from "valibot";
import type { SearchHit, SearchQuery } from "../../../tools/models.ts";
import type { Caller } from "../../access/caller.ts";
import { costByListPrice } from "../../tokens/price.ts";
import type { TurnUsage } from "../../tokens/turn_usage.ts";
import { type Metering, readOn } from "../read_on.ts";
import { hostFacts } from "../../dialects/mod.ts";
import { toUpstreamError } from "../../dialects/errors/upstream_error.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import type { Route } from "../../upstreams/upstream.ts";
import { readBytes } from "../../upstreams/response/read_body.ts";
import { readEvents } from "../../upstreams/response/read_events.ts";
import type { RequestObserver } from "../../observability/request_observer.ts";
import { redactKey } from "../../upstreams/redact_key.ts";
import { send } from "../../upstreams/send.ts";
import { isAbandoned, startIdleTimer, type Timeouts } from "../../upstreams/idle_timeout.ts";
import type { MessageContext } from "../context.ts";

/** Options of {@linkcode searchUpstream}. */
export interface SearchOptions {
  /** The route of the model that searches. */
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  timeouts: Timeouts;
  admission: Metering;
  observer: RequestObserver;
  /** Called with the search's usage when the search ends, complete or not. */
  onUsage(usage: TurnUsage, route: Route): void;
}

/** The fields of a chunk that are read. Source: https://openrouter.ai/docs/guides/features/server-tools/web-search */
const Citation = v.object({
  url_citation: v.object({ url: v.string(), title: v.nullish(v.string()), content: v.nullish(v.string()) }),
});
const Usage = v.object({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  cost: v.nullish(v.number()),
});
const Chunk = v.object({
  choices: v.optional(
    v.array(v.object({ delta: v.optional(v.object({ annotations: v.nullish(v.array(v.unknown())) })) })),
  ),
  usage: v.nullish(Usage),
});

/** Enough for the one word that the model answers. The search results arrive before it. */
const MAX_OUTPUT_TOKENS = 256;

/**
 * Searches the web with OpenRouter's search, which runs only as a tool of a model.
 *
 * @throws {ApiError} if the upstream has no search, or if it fails.
 */
export async function searchUpstream(
  context: Pick<MessageContext, "fetch" | "clock" | "shutdown">,
  query: SearchQuery,
  { route, caller, signal, timeouts, admission, observer, onUsage }: SearchOptions,
): Promise<SearchHit[]> {
  const { upstream, model } = route;
  if (!hostFacts(upstream.preset).searchesWeb) {
    throw new ApiError("not_found_error", `Cannot search the web: upstream "${upstream.name}" has no search`);
  }
  const body = toSearchBody(model, query);
  const inputTokens = Math.ceil(JSON.stringify(body).length / CHARS_PER_TOKEN);
  const hits = new Map<string, SearchHit>();
  for await (const chunk of readOn(readSearch, { ...context, signal, admission })) {
    for (const hit of toHits(chunk)) hits.set(hit.url, hits.get(hit.url) ?? hit);
  }
  return [...hits.values()].slice(0, query.limit);

  async function* readSearch(upstreamSignal: AbortSignal): AsyncGenerator<Chunk> {
    let usage = toTurnUsage({ prompt_tokens: inputTokens, completion_tokens: 0 }, route);
    const turn = observer.startTurn({
      upstream: upstream.name,
      baseUrl: upstream.baseUrl,
      model,
      dialect: route.dialect.name,
      maxTokens: MAX_OUTPUT_TOKENS,
    });
    const endTurn = () => onUsage(usage, route);
    const idleTimer = startIdleTimer(upstreamSignal, upstream, timeouts);
    const sending = turn.run(() =>
      send(context, upstream, {
        path: "/chat/completions",
        body,
        // Versions and betas of Anthropic's API have no meaning in chat completions.
        caller: { client: caller.client, key: caller.key, correlationId: caller.correlationId },
        signal: idleTimer.signal,
        waits: idleTimer.waits,
      })
    );
    const response = await sending.catch((error: unknown) => {
      idleTimer.stop();
      if (isAbandoned(idleTimer)) endTurn();
      turn.end({ error });
      throw error;
    });
    let failure: unknown;
    try {
      for await (const batch of readEvents(readBytes(response.body, idleTimer))) {
        idleTimer.markStarted();
        for (const json of batch.map(({ data }) => tryJson(data))) {
          if (isObject(json) && isObject(json.error)) throw toUpstreamError({ status: 502, body: json });
          const chunk = v.safeParse(Chunk, json);
          if (!chunk.success) continue;
          if (chunk.output.usage) usage = toTurnUsage(chunk.output.usage, route);
          yield chunk.output;
        }
      }
    } catch (error) {
      failure = idleTimer.signal.aborted ? idleTimer.signal.reason : redactKey(error, upstream, caller);
      throw failure;
    } finally {
      idleTimer.stop();
      endTurn();
      turn.end({ usage, error: failure });
    }
  }
}

function toSearchBody(
  model: string,
  { query, allowedDomains, blockedDomains, limit }: SearchQuery,
): JsonObject {
  const type = "openrouter:web_search";
  const parameters = {
    max_results: limit,
    ...(allowedDomains && { allowed_domains: allowedDomains }),
    ...(blockedDomains && { excluded_domains: blockedDomains }),
  };
  const content = `Search the web for this, and answer with the word "done": ${query}`;
  return {
    model,
    stream: true,
    max_tokens: MAX_OUTPUT_TOKENS,
    messages: [{ role: "user", content }],
    tools: [{ type, parameters }],
    tool_choice: { type },
  };
}

type Chunk = v.InferOutput<typeof Chunk>;
type Usage = v.InferOutput<typeof Usage>;

function toHits({ choices = [] }: Chunk): SearchHit[] {
  return choices.flatMap(({ delta }) => delta?.annotations ?? []).flatMap((annotation) => {
    const citation = v.safeParse(Citation, annotation);
    if (!citation.success) return [];
    const { url, title, content } = citation.output.url_citation;
    return [{ url, title: title || url, text: content ?? "" }];
  });
}

/**
 * Returns the usage of a search. A cost that is not reported is that of the tokens, if it is known, and of one search.
 */
function toTurnUsage(
  { prompt_tokens: input, completion_tokens: output, cost }: Usage,
  { facts: { price }, upstream }: Route,
): TurnUsage {
  const searchPrice = price?.webSearch ?? hostFacts(upstream.preset).searchPrice ?? 0;
  const tokens = { input, cacheRead: 0, cacheWrite: 0, output };
  const tokenPrice = costByListPrice(price, tokens) ?? 0;
  return {
    inputTokens: input,
    outputTokens: output,
    tokens,
    cost: cost ?? undefined,
    usd: cost ?? searchPrice + tokenPrice,
  };
}
