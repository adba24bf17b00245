import { redact } from "../../base/redact.ts";

/** Returns the client's `x-correlation-id` if it is safe for logs, headers and upstreams. */
export function readCorrelationId({ headers }: Request): string | undefined {
  const id = headers.get("x-correlation-id") ?? "";
  return /^[\w.-]{1,128}$/.test(id) && redact(id) === id ? id : undefined;
}
