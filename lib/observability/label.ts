import { NameCache } from "../base/name_cache.ts";
import { redact } from "../base/redact.ts";

/**
 * Returns a name that a client has chosen, such as that of a model, for metrics and the operator's page: credentials in
 * it are redacted.
 */
export function toLabel(name: string): string {
  return labels.get(name, redact);
}

/** Redacting costs more than counting. */
const labels = new NameCache<string>(500);
