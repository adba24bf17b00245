import type { Caller } from "../access/caller.ts";
import type { Config } from "../config/settings.ts";

/** The caller of work that outlives its request, as it is kept: without a key and without the id of a request. */
export interface KeptCaller {
  caller: Omit<Caller, "key" | "correlationId">;
  /** Headers of the request that apply to the work. */
  headers: Readonly<Record<string, string>>;
}

/** Headers that select the gateway's tools. */
const ITEM_HEADERS = ["x-gateway-tools", "x-gateway-tools-mode"];

/** Returns what is kept of the caller of a request. */
export function toKeptCaller(
  { key: _key, correlationId: _correlationId, betas, ...caller }: Caller,
  { headers }: Request,
): KeptCaller {
  const given = ITEM_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  // The beta of batches has no meaning for a single message.
  const ofItems = betas?.split(",").map((beta) => beta.trim()).filter((beta) =>
    !/^message-batches-/.test(beta)
  );
  return {
    caller: { ...caller, ...(ofItems !== undefined && ofItems.length > 0 && { betas: ofItems.join(",") }) },
    headers: Object.fromEntries(given),
  };
}

/** True if the upstream is called with the key of the client, which only a request of the client brings. */
export function needsClientKey(
  owner: string,
  { openrouterApiKey }: Pick<Config, "openrouterApiKey">,
): boolean {
  return owner.startsWith("local:") && openrouterApiKey === undefined;
}
