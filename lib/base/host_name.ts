/**
 * Writes the host of a `Host` header or a URL, with or without a port, as browsers do: in lower case, an address in its
 * shortest form, one of IPv6 in brackets. `undefined` where it is none.
 *
 * @example Usage
 * ```ts
 * import { toHostName } from "./host_name.ts";
 *
 * toHostName("LOCALHOST:4000"); // "localhost"
 * toHostName("localhost@example.com"); // undefined
 * ```
 */
export function toHostName(text: string): string | undefined {
  const host = text.includes(":", text.indexOf(":") + 1) && !text.startsWith("[") ? `[${text}]` : text;
  if (!/^(\[[\da-f:.]+\]|[^\s:/?#@*\\[\]%]+)(:\d{1,5})?$/i.test(host)) return undefined;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

/** Tells whether what listens on a host can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(toHostName(host) ?? "");
}
