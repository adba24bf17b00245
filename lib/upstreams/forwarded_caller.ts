import type { Caller } from "../access/caller.ts";
import type { Dialect } from "../dialects/mod.ts";

/** Returns what an upstream learns of a caller. Versions and betas of Anthropic's API have no meaning in other dialects. */
export function toForwardedCaller(caller: Caller, dialect: Dialect): Caller {
  return dialect.name === "anthropic" ? caller : { client: caller.client, key: caller.key };
}
