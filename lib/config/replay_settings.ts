import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import type { SettingName, Settings } from "./settings.ts";

/** Settings that change how requests and answers are translated. None is a secret or a path. */
const NAMES: readonly SettingName[] = [
  "OPENROUTER_BASE_URL",
  "ANTHROPIC_MODEL",
  "ANTHROPIC_SMALL_FAST_MODEL",
  "AUTO_MODE_MODEL",
  "MODEL_MAP",
  "UPSTREAM_DIALECT",
  "VALIDATION",
  "UPSTREAM_RETRIES",
  "COERCE_TOOL_INPUT",
  "TOOL_CALLS_IN_TEXT",
  "STRUCTURED_MAX_RETRIES",
  "STRUCTURED_STREAM",
  "TOOL_TURNS",
];

/** Returns the settings that a recording holds. Upstreams lose their keys and headers. */
export function replaySettings(settings: Settings): JsonObject {
  const found = NAMES.flatMap((name) =>
    settings[name] === undefined ? [] : [[name, toPlain(settings[name])]]
  );
  const upstreams = toPlain(settings.UPSTREAMS);
  return {
    ...Object.fromEntries(found),
    ...((isObject(upstreams) || Array.isArray(upstreams)) && { UPSTREAMS: withoutSecrets(upstreams) }),
  };
}

/** Returns a setting given as JSON as its value. */
function toPlain(value: unknown): unknown {
  const parsed = typeof value === "string" ? tryJson(value) : undefined;
  return isObject(parsed) || Array.isArray(parsed) ? parsed : value;
}

function withoutSecrets(upstreams: JsonObject | unknown[]): unknown {
  const strip = (upstream: unknown) => {
    if (!isObject(upstream)) return upstream;
    const { key: _key, headers: _headers, ...rest } = upstream;
    return rest;
  };
  if (Array.isArray(upstreams)) return upstreams.map(strip);
  return Object.fromEntries(Object.entries(upstreams).map(([name, upstream]) => [name, strip(upstream)]));
}
