import { fromBase64Url, toBase64Url } from "../base/base64url.ts";
import { fnv } from "./fnv.ts";

/**
 * Tool call ids, legal on Anthropic's side and recoverable for the upstream's.
 *
 * Anthropic wants `^[a-zA-Z0-9_-]+$`, unique within a conversation; some hosts send `functions.add:0` and begin again
 * at 0 with every answer. An id that is no id for Anthropic is wrapped, and unwrapped when the client sends it back.
 */
const LEGAL_ID = /^[a-zA-Z0-9_-]{1,128}$/;
const WRAPPED_ID = /^toolu_gw[A-Za-z0-9]{8}_([A-Za-z0-9_-]+)$/;

/** Gives the id that the client sees for an upstream's id, which may be missing or empty. */
export function toClientToolId(id: string | undefined, newId: (prefix: string) => string): string {
  if (!id) return newId("toolu_");
  return LEGAL_ID.test(id) && !WRAPPED_ID.test(id) ? id : wrapToolId(id, newId);
}

/** Gives the id that the client sees for an upstream's id that it has seen before. */
export function wrapToolId(id: string, newId: (prefix: string) => string): string {
  return `${newId("toolu_gw").slice(0, "toolu_gw".length + 8)}_${toBase64Url(id)}`;
}

/**
 * Gives back the upstream's own id; or, where that is none for this upstream because it is another's, one in its place:
 * nine letters and digits that follow from it, which every host takes.
 */
export function toUpstreamToolId(id: string, pattern?: RegExp): string {
  const wrapped = WRAPPED_ID.exec(id)?.[1];
  const upstreamId = (wrapped && fromBase64Url(wrapped)) || id;
  if (pattern === undefined || pattern.test(upstreamId)) return upstreamId;
  const digits = (text: string) => fnv(text).toString(36).padStart(7, "0");
  return digits(upstreamId).slice(1) + digits(`${upstreamId}_`).slice(-3);
}
