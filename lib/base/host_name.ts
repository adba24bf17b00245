/**
 * Normalizes the host of a `Host` header or a URL as browsers do, and removes the port.
 *
 * The result is in lower case. Addresses have their shortest form, IPv6 addresses are in brackets. Returns `undefined`
 * if the text is not a host.
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

/** Returns true for a loopback host: only this machine can connect to a listener on it. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(toHostName(host) ?? "");
}
