import { fromBase64Url, toBase64Url } from "../base/encoding/base64url.ts";
import { fnv } from "../base/hash/fnv.ts";

/**
 * Pattern of tool call IDs that clients accept.
 *
 * Anthropic's IDs match `^[a-zA-Z0-9_-]+$` and are unique within a conversation. Some hosts send `functions.add:0` and
 * start again at 0 in every answer. The gateway wraps an invalid ID, and unwraps it when the client sends it back.
 */
const LEGAL_ID = /^[a-zA-Z0-9_-]{1,128}$/;
const WRAPPED_PREFIX = "toolu_gw";
const WRAPPED_ID = /^toolu_gw[A-Za-z0-9]{8}_([A-Za-z0-9_-]+)$/;

/** Longest ID of an upstream that is wrapped: the client's requests have a bound for IDs. */
const MAX_WRAPPED_CHARS = 4096;

/**
 * Returns the client's ID for an upstream's ID. A missing, empty or very long ID is replaced, an invalid one is
 * wrapped.
 */
export function toClientToolId(id: string | undefined, newId: (prefix: string) => string): string {
  if (!id || id.length > MAX_WRAPPED_CHARS) return newId("toolu_");
  return LEGAL_ID.test(id) && !WRAPPED_ID.test(id) ? id : wrapToolId(id, newId);
}

/** Wraps an upstream's ID in a new, unique one, for IDs that are invalid or were used before. */
export function wrapToolId(id: string, newId: (prefix: string) => string): string {
  return `${newId(WRAPPED_PREFIX).slice(0, WRAPPED_PREFIX.length + 8)}_${toBase64Url(id)}`;
}

/**
 * Returns the upstream's ID for a client's ID.
 *
 * An ID from another upstream may not match `pattern`. It is replaced by nine letters and digits derived from it, which
 * every host accepts.
 */
export function toUpstreamToolId(id: string, pattern?: RegExp): string {
  const wrapped = id.startsWith(WRAPPED_PREFIX) ? WRAPPED_ID.exec(id)?.[1] : undefined;
  const upstreamId = (wrapped && fromBase64Url(wrapped)) || id;
  if (pattern === undefined || pattern.test(upstreamId)) return upstreamId;
  const digits = (text: string) => fnv(text).toString(36).padStart(7, "0");
  return digits(upstreamId).slice(1) + digits(`${upstreamId}_`).slice(-3);
}
