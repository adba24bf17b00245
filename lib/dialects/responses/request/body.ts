import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { fnv } from "../../../base/hash/fnv.ts";
import { reportRequestFields, reportUnsentFields } from "../../request/report_losses.ts";
import type { CacheMarker, HostContext, ResponsesContext } from "../responses.ts";
import { toTextFormat } from "./format.ts";
import { toInput } from "./input.ts";
import { toReasoning } from "./reasoning.ts";
import { toSampling } from "./sampling.ts";
import { toTools } from "./tools.ts";

/** Converts a Messages request to a request of the Responses API, which always asks for a stream. */
export function toResponsesRequest(request: MessagesRequest, host: HostContext): JsonObject {
  const { features, family, loss, model } = host;
  const supported = features.cacheBreakpoints && family?.cacheBreakpoints === true &&
    host.cacheControl !== false;
  const cache: CacheMarker = { supported, used: false };
  const context: ResponsesContext = { ...host, cache };
  reportRequestFields(request, loss, features.serviceTier ? ["service_tier"] : []);
  const input = toInput(request, context);
  const { fields: reasoning, reasons } = toReasoning(request, context);
  const body = {
    model,
    ...input,
    stream: true,
    // Without this, the host keeps the conversation.
    store: false,
    ...(features.padsEvents && { stream_options: { include_obfuscation: false } }),
    ...toSampling(request, context, { reasons }),
    ...toTools(request, context),
    ...toTextFormat(request, context),
    ...reasoning,
    ...toServiceTier(request, context),
    ...toSession(context),
    ...toCacheOptions(request, context),
  };
  reportUnsentFields(request, loss);
  return body;
}

/** Translates `service_tier`, which is a field of all Anthropic SDKs, but not of the checked schema. */
function toServiceTier(
  { service_tier: tier }: MessagesRequest,
  { features, loss }: ResponsesContext,
): JsonObject {
  if (!features.serviceTier || tier === undefined || tier === null) return {};
  if (tier === "auto") return { service_tier: "auto" };
  if (tier === "standard_only") return { service_tier: "default" };
  loss.add("service_tier", "dropped");
  return {};
}

/** Returns the field that keeps a session on one cache. The session's ID is not sent, only its hash. */
function toSession({ sessionId, features: { sessionField } }: ResponsesContext): JsonObject {
  if (!sessionId || sessionField === undefined) return {};
  const hash = [sessionId, `${sessionId}_`].map((text) => fnv(text).toString(16).padStart(8, "0"));
  return { [sessionField]: hash.join("") };
}

/**
 * Returns the options of the cache.
 *
 * By default the host caches up to the newest message, as Anthropic does for a `cache_control` of the request. Marks on
 * parts replace that.
 */
function toCacheOptions({ cache_control }: MessagesRequest, { cache, loss }: ResponsesContext): JsonObject {
  if (cache_control) {
    if (!cache.supported || cache.used) loss.add("cache_control", "dropped");
    else if (cache_control.ttl) loss.add("cache_control.ttl", "approximated");
  }
  return cache.used ? { prompt_cache_options: { mode: "explicit", ttl: "30m" } } : {};
}
