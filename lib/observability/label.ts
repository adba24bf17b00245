import { redact } from "../base/redact.ts";

/** Returns a name that a client has chosen, such as that of a model, for metrics and the operator's page: credentials in it are redacted. */
export function toLabel(name: string): string {
  const known = labels.get(name);
  if (known !== undefined) return known;
  const label = redact(name);
  if (name.length > MAX_NAME_CHARS) return label;
  if (labels.size >= MAX_LABELS) labels.clear();
  labels.set(name, label);
  return label;
}

const MAX_LABELS = 500;
/** Maximum length of a name whose label is kept. */
const MAX_NAME_CHARS = 1000;
/** Labels by names: redacting costs more than counting. */
const labels = new Map<string, string>();
