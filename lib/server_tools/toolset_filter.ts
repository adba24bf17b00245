import type { TypedTool } from "../anthropic/schema.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/** Selects the tools of a server by name. */
export type ToolFilter = (name: string) => { enabled: boolean; deferred: boolean };

/**
 * Returns the filter of a toolset: `configs` before `default_config`, and both before the defaults. Unknown names have
 * no effect.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/mcp-connector
 */
export function toolsetFilter({ default_config: defaults, configs }: TypedTool): ToolFilter {
  const overrides = new Map(isObject(configs) ? Object.entries(configs) : []);
  return (name) => {
    const config: JsonObject = {
      ...(isObject(defaults) && withoutNull(defaults)),
      ...withoutNull(objectOrEmpty(overrides.get(name))),
    };
    return { enabled: (config.enabled ?? true) === true, deferred: config.defer_loading === true };
  };
}

/** Returns the filter of a `tool_configuration`, as in the beta of 2025-04-04. */
export function configurationFilter(configuration: JsonObject | undefined): ToolFilter {
  const { enabled, allowed_tools: allowed } = configuration ?? {};
  const allowedNames = Array.isArray(allowed) ? new Set<unknown>(allowed) : undefined;
  return (name) => ({
    enabled: enabled !== false && (allowedNames?.has(name) ?? true),
    deferred: false,
  });
}

function objectOrEmpty(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Removes fields that are `null`, which stands for their default. */
function withoutNull(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
