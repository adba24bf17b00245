import { toHostName } from "./host_name.ts";

/**
 * Returns the URL at which clients on this machine reach a listener. An address that stands for every address of the
 * machine, such as `0.0.0.0`, becomes the loopback address: not every client can connect to it itself.
 *
 * @example Usage
 * ```ts
 * import { toLocalUrl } from "./local_url.ts";
 *
 * if (toLocalUrl("0.0.0.0", 4000) !== "http://127.0.0.1:4000") throw new Error("not loopback");
 * if (toLocalUrl("::", 4000) !== "http://[::1]:4000") throw new Error("not loopback");
 * ```
 */
export function toLocalUrl(host: string, port: number): string {
  return `http://${LOOPBACKS[toHostName(host) ?? ""] ?? toAddress(host)}:${port}`;
}

const LOOPBACKS: Record<string, string> = { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" };

/** Encloses an IPv6 address in brackets, as URLs require. */
export function toAddress(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
