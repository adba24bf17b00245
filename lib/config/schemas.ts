import * as v from "valibot";
import { toHostName } from "../base/host_name.ts";
import { listForm, orVariable, withForm } from "./json_form.ts";

/** Schema of a setting: the type of its input and of its parsed value. */
export type Schema<Input, Value> = v.GenericSchema<Input, Value>;

/** Parses a whole number within bounds. */
export function integer(min: number, max: number): Schema<string | number, number> {
  const allowed = `expected a whole number from ${min} to ${max}`;
  const schema = v.pipe(
    number(min, max, allowed),
    v.check((value) => Number.isInteger(value), allowed),
  );
  return withForm(schema, orVariable({ type: "integer", minimum: min, maximum: max }));
}

/** Parses a duration in seconds, at most one week: timers overflow after 24 days. */
export function seconds(min: number): Schema<string | number, number> {
  const schema = number(min, WEEK_S, `expected a number of seconds from ${min} to ${WEEK_S}`);
  return withForm(schema, orVariable({ type: "number", minimum: min, maximum: WEEK_S }));
}

/** Parses one line of text that is not blank, and trims it. */
export function text(expected: string, pattern: RegExp = /^\P{Cc}+$/u): Schema<string, string> {
  const schema = v.pipe(v.string(`expected ${expected}`), v.trim(), v.regex(pattern, `expected ${expected}`));
  return withForm(schema, { type: "string", minLength: 1 });
}

/** Parses one of several words; case does not matter. */
export function oneOf<const Word extends string>(words: readonly Word[]): Schema<string, Word> {
  const allowed = `expected ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  const schema = v.pipe(v.string(allowed), v.trim(), v.toLowerCase(), v.picklist(words, allowed));
  return withForm(schema, orVariable({ enum: [...words] }));
}

/** Parses `on` or `off`, or true or false, also as text. */
export function onOff(): Schema<string | boolean, "on" | "off"> {
  const schema = v.pipe(
    v.union([v.boolean(), oneOf(["on", "off", "true", "false"])], ON_OFF),
    v.transform((given): "on" | "off" => given === true || given === "true" || given === "on" ? "on" : "off"),
  );
  return withForm(schema, orVariable({ enum: [true, false, "on", "off"] }));
}

const ON_OFF = "expected on or off";

/** Parses several values, separated by commas or as a list. */
export function list(item: Schema<string, string>): Schema<string | readonly string[], readonly string[]> {
  const schema = v.pipe(
    v.custom<string | readonly string[]>(isStringOrList, "expected a list, separated by commas"),
    v.transform((given) => (typeof given === "string" ? given.split(",") : given).map((word) => word.trim())),
    v.array(item),
  );
  return withForm(schema, listForm());
}

/** Parses a host name as in URLs, without a port. */
export function hostName(): Schema<string, string> {
  const allowed = "expected host names without ports, separated by commas";
  const port = /^[^:]*:\d+$|\]:\d+$/;
  return v.pipe(
    v.string(allowed),
    v.check((value) => toHostName(value) !== undefined && !port.test(value), allowed),
    v.transform((value) => toHostName(value) ?? value),
  );
}

/** Parses an origin in the format of the `Origin` header, or `*`. */
export function origin(): Schema<string, string> {
  const allowed = 'expected origins such as "https://example.com", separated by commas, or "*"';
  return v.pipe(
    v.string(allowed),
    v.check((value) => value === "*" || toOrigin(value) !== undefined, allowed),
    v.transform((value) => toOrigin(value) ?? value),
  );
}

/** Parses a base URL, and removes slashes at its end. */
export function baseUrl(): Schema<string, string> {
  const allowed = "expected an http or https URL without user name, password, query and fragment";
  const schema = v.pipe(
    v.string(allowed),
    v.trim(),
    v.check(isPlainUrl, allowed),
    v.transform((value) => new URL(value).href.replace(/\/+$/, "")),
  );
  return withForm(schema, { type: "string", pattern: "^\\s*(https?://|.*\\$\\{)" });
}

/** Parses the name of a store of the gateway itself, such as `memory`, or the URL of a Redis or Valkey server. */
export function storeUrl(own: string): Schema<string, string> {
  const allowed = `expected ${own}, or a redis:// or rediss:// URL with a host, without query and fragment`;
  const schema = v.pipe(
    v.string(allowed),
    v.trim(),
    v.check((value) => value === own || isRedisUrl(value), allowed),
  );
  return withForm(schema, { type: "string", pattern: `^\\s*(${own}|rediss?://|.*\\$\\{)` });
}

/** Parses the URL of a PostgreSQL database. */
export function databaseUrl(): Schema<string, string> {
  const allowed = "expected a postgres:// URL with a host and the name of a database";
  const schema = v.pipe(v.string(allowed), v.trim(), v.check(isPostgresUrl, allowed));
  return withForm(schema, { type: "string", pattern: "^\\s*(postgres(ql)?://|.*\\$\\{)" });
}

/** Returns the path of an issue within a setting, by the keys that lead to it. */
export function issuePath(first: string | number, ...rest: readonly (string | number)[]): IssuePath {
  return [toPathItem(first), ...rest.map(toPathItem)];
}

type IssuePath = [v.IssuePathItem, ...v.IssuePathItem[]];

function toPathItem(key: string | number): v.IssuePathItem {
  return { type: "unknown", origin: "value", input: undefined, key, value: undefined };
}

const WEEK_S = 604_800;

function number(min: number, max: number, allowed: string): Schema<string | number, number> {
  return v.pipe(
    v.union(
      [v.number(), v.pipe(v.string(), v.trim(), v.regex(/^\d+(\.\d+)?$/), v.transform(Number))],
      allowed,
    ),
    v.minValue(min, allowed),
    v.maxValue(max, allowed),
  );
}

function isStringOrList(value: unknown): boolean {
  return typeof value === "string" ||
    (Array.isArray(value) && value.every((word) => typeof word === "string"));
}

function toOrigin(value: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+$/i.test(value) || !URL.canParse(value)) return undefined;
  const { protocol, host } = new URL(value);
  return `${protocol}//${host}`;
}

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return /^https?:$/.test(protocol) && username + password === "" && !/[?#]/.test(value);
}

function isPostgresUrl(value: string): boolean {
  if (!/^postgres(ql)?:\/\/[^\s#]+$/.test(value) || !URL.canParse(value)) return false;
  const { hostname, pathname } = new URL(value);
  return hostname !== "" && /^\/[^/]+$/.test(pathname);
}

function isRedisUrl(value: string): boolean {
  return /^rediss?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value) && new URL(value).hostname !== "";
}
