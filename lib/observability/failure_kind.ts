/**
 * Kind of a failed request.
 *
 * - `limit`: refused by a limit of the gateway (402, 429, 529). Such a failure is expected: the limit works.
 * - `access`: refused because of its key, host or origin.
 * - `client`: invalid, or for something that does not exist.
 * - `upstream`: the upstream failed, refused the request or could not be reached.
 * - `store`: a store of the gateway failed or could not be reached, such as `DATA_DIR` or Redis.
 * - `gateway`: a defect, or the shutdown of the gateway.
 */
export type FailureKind = "limit" | "access" | "client" | "upstream" | "store" | "gateway";

/** Every kind, for tables. */
export const FAILURE_KINDS: readonly FailureKind[] = [
  "limit",
  "access",
  "client",
  "upstream",
  "store",
  "gateway",
];

/** True if a failure is the intended effect of a setting, which no operator needs to look at. */
export function isExpected(kind: FailureKind): boolean {
  return kind === "limit";
}
