import { LruMap } from "../base/lru.ts";
import { redact } from "../base/redact.ts";

/** Returns a name that a client has chosen, such as that of a model, for metrics and the operator's page: credentials in it are redacted. */
export function toLabel(name: string): string {
  const known = labels.get(name);
  if (known !== undefined) return known;
  const label = redact(name);
  labels.set(name, label);
  return label;
}

/** Labels of the names that were used last: redacting costs more than counting. */
const labels = new LruMap<string, string>(500);
