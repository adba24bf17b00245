import { FAILURE_KINDS } from "../../../observability/failure_kind.ts";
import type { ErrorEntry } from "../../../observability/errors/error_entry.ts";
import type { SeenError } from "../../../observability/traffic/error_groups.ts";
import type { Traffic } from "../../../observability/traffic/traffic.ts";
import type { PageSource } from "../../source.ts";
import type { ViewCall } from "../../view.ts";

/** Number of stored errors that are read. */
const MAX_ENTRIES = 500;

const loaded = new WeakMap<Traffic, Promise<void>>();

/** Adds the stored errors from before the start of the gateway to the groups, once. */
export async function loadStoredErrors(gateway: PageSource): Promise<void> {
  const { traffic } = gateway.operations;
  const loading = loaded.get(traffic) ?? load(gateway);
  loaded.set(traffic, loading);
  await loading;
}

async function load({ operations }: PageSource): Promise<void> {
  const { errors, traffic, counters } = operations;
  if (errors.storage !== "disk") return;
  for (const entry of await errors.recent(MAX_ENTRIES)) {
    const at = Date.parse(entry.timestamp);
    const error = toSeenError(entry);
    if (at < counters.startedAt && error !== undefined) traffic.errors.add(error, at);
  }
  for (const [group, at] of await errors.marks()) traffic.errors.restore(group, at);
}

/**
 * Marks a group as resolved at a time, or as open, also for the next start. Returns false if the group is not known.
 */
export function markGroup(
  { gateway: { operations }, now }: ViewCall,
  group: string,
  resolvedAt: number | undefined,
): boolean {
  if (!operations.traffic.errors.resolve(group, resolvedAt)) return false;
  operations.errors.mark(group, resolvedAt, now);
  return true;
}

/** Returns what a stored error is grouped by; undefined if the entry lacks it. */
function toSeenError({ error_type, error_message, response, context }: ErrorEntry): SeenError | undefined {
  const { failure: kind, request_id: id, client, answeredBy } = context;
  const failure = FAILURE_KINDS.find((known) => known === kind);
  if (failure === undefined || typeof id !== "string") return undefined;
  const model = typeof answeredBy === "string" ? answeredBy : undefined;
  const isOfUpstream = failure === "upstream";
  return {
    id,
    client: typeof client === "string" ? client : "",
    failure,
    type: error_type,
    status: response.status_code,
    source: isOfUpstream ? model?.split("/")[0] ?? "upstream" : "gateway",
    model,
    message: isOfUpstream || !error_type.endsWith("_error") ? undefined : error_message,
  };
}

/** Returns the stored entry of the newest of some requests. */
export async function findStored(
  { operations: { errors } }: PageSource,
  [newest]: readonly { id: string }[],
): Promise<ErrorEntry | undefined> {
  return newest === undefined ? undefined : await errors.find(newest.id);
}
