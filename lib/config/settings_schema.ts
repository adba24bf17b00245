import { tryJson } from "../base/json.ts";
import type { JsonObject } from "../base/json.ts";
import { formOf } from "./json_form.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "./settings.ts";

/**
 * Returns the JSON Schema of the configuration file, which its `$schema` names for editors. The gateway itself
 * validates with the schemas of the settings: this one accepts all that they accept, and more.
 */
export function settingsSchema(): JsonObject {
  const properties: [string, JsonObject][] = SETTING_NAMES.flatMap((name) => {
    const { secret = false } = SETTINGS[name];
    const path: [string, JsonObject] = [`${name}_FILE`, {
      description: `File that holds ${name}`,
      type: "string",
    }];
    return [[name, toProperty(name)], ...(secret ? [path] : [])];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of openrouter-anthropic-server",
    type: "object",
    allowTrailingCommas: true,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
}

function toProperty(name: SettingName): JsonObject {
  const { text, schema, default: fallback } = SETTINGS[name];
  const form = formOf(schema());
  return { description: text, ...(fallback !== undefined && { default: toDefault(fallback) }), ...form };
}

/** Returns a default, which is text as in the environment, with the type that it has in JSON. */
function toDefault(fallback: string): unknown {
  return tryJson(fallback) ?? fallback;
}
