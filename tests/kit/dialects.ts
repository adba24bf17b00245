import { DIALECT_CHOICES, type DialectChoice, HOST_NAMES } from "../../lib/config/presets.ts";
import { type Dialect, dialectFor as infoFor, type UpstreamKind } from "../../lib/dialects/mod.ts";

// Every dialect of every host: OpenRouter has another one for models of Anthropic.
const infos = HOST_NAMES.flatMap((host) => DIALECT_CHOICES.map((choice) => infoFor(host, choice, "m")));
const loaded = new Map(
  await Promise.all(infos.map(async (info) => [info, await info.load()] as const)),
);

/** Returns the dialect for calls to a model of a host, loaded. */
export function dialectFor(kind: UpstreamKind, choice: DialectChoice, model: string): Dialect {
  const dialect = loaded.get(infoFor(kind, choice, model));
  if (dialect === undefined) throw new Error(`Cannot find the dialect of ${kind}: it is not loaded`);
  return dialect;
}
