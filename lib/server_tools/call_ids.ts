/**
 * Ids of calls that the gateway runs: the model's own id in the form that Anthropic's API has for such calls, so that
 * a conversation that comes back is the one that the upstream knows.
 */
const PREFIXES = { mcp_tool_use: "mcptoolu_", server_tool_use: "srvtoolu_" } as const;
const SERVER_CALL_ID = /^(?:mcp|srv)toolu_(gw_)?(.+)$/s;

/** Gives the id that the client sees for a call. */
export function toServerCallId(id: string, kind: keyof typeof PREFIXES): string {
  return PREFIXES[kind] + (id.startsWith("toolu_") ? id.slice("toolu_".length) : `gw_${id}`);
}

/**
 * Gives an id to a model's call and takes note of it: its own, unless a call of this conversation has that already.
 * Some hosts begin again at `call_0` with every turn, and a result is found by the id of its call alone.
 */
export function toUniqueId(id: string, taken: Set<string>): string {
  let unique = id;
  for (let nth = 2; taken.has(unique); nth++) unique = `${id}_${nth}`;
  taken.add(unique);
  return unique;
}

/** Gives the id that the model has for it. */
export function toModelCallId(id: string): string {
  const [, marker, rest = id] = SERVER_CALL_ID.exec(id) ?? [];
  return marker === undefined && rest !== id ? `toolu_${rest}` : rest;
}
