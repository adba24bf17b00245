import type { Caller } from "../../access/caller.ts";

/** The caller of a batch, as it is kept: without a key and without the id of a request. */
export interface BatchCaller {
  caller: Omit<Caller, "key" | "correlationId">;
  /** Headers of the batch that apply to each of its requests. */
  headers: Readonly<Record<string, string>>;
}

/** Headers that select the gateway's tools. */
const ITEM_HEADERS = ["x-gateway-tools", "x-gateway-tools-mode"];

/** Returns what is kept of the caller of a new batch. */
export function toBatchCaller(
  { key: _key, correlationId: _correlationId, betas, ...caller }: Caller,
  { headers }: Request,
): BatchCaller {
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
