import * as v from "valibot";
import { parse, type ParseError } from "jsonc-parser";
import { isObject, type JsonObject } from "../../base/json.ts";
import { describeError, toPosition } from "../sources/json_error.ts";

const Provider = v.looseObject({
  name: v.string(),
  api_base_url: v.string(),
  api_key: v.optional(v.string(), ""),
  transformer: v.optional(v.custom<JsonObject>(isObject), {}),
});

const Config = v.pipe(
  v.custom<JsonObject>(isObject),
  v.looseObject({
    Providers: v.optional(v.array(Provider), []),
    Router: v.optional(v.custom<JsonObject>(isObject), {}),
  }),
);

/** A provider of claude-code-router: an endpoint, its key, and the transformers of its requests. */
export type CcrProvider = v.InferOutput<typeof Provider>;

/**
 * Configuration of claude-code-router, versions 1 and 2.
 *
 * Source: https://github.com/musistudio/claude-code-router
 */
export type CcrConfig = v.InferOutput<typeof Config>;

/**
 * Parses claude-code-router's `config.json`: JSON with comments and trailing commas. `$NAME` and `${NAME}` become
 * `${NAME}`, the form of our configuration file. A mistake holds no value of the file.
 *
 * @example Usage
 * ```ts
 * import { parseCcr } from "./parse_ccr.ts";
 *
 * const { config } = parseCcr('{ "APIKEY": "$KEY" }', "config.json");
 * if (config?.APIKEY !== "${KEY}") throw new Error("not converted");
 * ```
 */
export function parseCcr(
  text: string,
  name: string,
): { config: CcrConfig; mistake?: undefined } | { config?: undefined; mistake: string } {
  const json = text.replace(/^\ufeff/, "");
  const errors: ParseError[] = [];
  const value: unknown = parse(json, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    return { mistake: `Cannot read ${name}:${toPosition(json, error.offset)}: ${describeError(error)}` };
  }
  const parsed = v.safeParse(Config, withNames(toOwnVariables(value)));
  if (parsed.success) return { config: parsed.output };
  const path = v.getDotPath(parsed.issues[0]) ?? "";
  const why = `it is no configuration of claude-code-router${path === "" ? "" : `, see ${path}`}`;
  return { mistake: `Cannot use ${name}: ${why}` };
}

/** Some tools write `providers` and `router`. */
function withNames(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { providers, router, ...rest } = value;
  return {
    ...rest,
    ...(providers !== undefined && rest.Providers === undefined && { Providers: providers }),
    ...(router !== undefined && rest.Router === undefined && { Router: router }),
  };
}

function toOwnVariables(value: unknown): unknown {
  if (typeof value === "string") return value.replace(VARIABLE, toOwnVariable);
  if (Array.isArray(value)) return value.map(toOwnVariables);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toOwnVariables(member)]));
}

/** The pattern by which claude-code-router finds variables. */
const VARIABLE = /\$\{([^}]+)\}|\$([A-Z_][A-Z0-9_]*)/g;

function toOwnVariable(_found: string, braced?: string, bare?: string): string {
  const name = braced ?? bare ?? "";
  return /^[A-Za-z_]\w*$/.test(name) ? `\${${name}}` : `$\${${name}}`;
}
