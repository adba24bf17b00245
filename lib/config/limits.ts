import * as v from "valibot";
import { quote } from "../base/redact.ts";
import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import { withForm } from "./json_form.ts";
import { nameHint } from "./nearest.ts";
import { issuePath, type Schema } from "./schemas.ts";

/** Limits of one scope; `null` removes a limit that would apply by default. */
export type LimitSet = {
  /** Messages per minute. */
  requests?: number | null;
  /** Input tokens per minute, without those read from the upstream's cache. */
  input_tokens?: number | null;
  /** Output tokens per minute. */
  output_tokens?: number | null;
  /** Concurrent answers, streamed or not. */
  concurrent?: number | null;
  /** USD per day and per month, in UTC. */
  usd_day?: number | null;
  usd_month?: number | null;
};

/** Name of a limit. */
export type LimitName = keyof LimitSet;

/** Limits as given in settings: an object or its JSON. */
export type LimitsInput = string | {
  /** Limits of each client key. */
  each?: LimitSet;
  /** Limits of all keys together. */
  total?: LimitSet;
  /** Limits of each Claude Code session. */
  session?: LimitSet;
  /** Limits by key name; these override `each`. */
  keys?: Readonly<Record<string, LimitSet>>;
};

/** The limits in force. */
export type Limits = {
  each: LimitSet;
  total: LimitSet;
  session: LimitSet;
  keys: ReadonlyMap<string, LimitSet>;
};

/**
 * Default number of concurrent answers per key: enough for a fleet of agents behind one key. What protects the memory
 * of the process is `BODY_MEMORY`, for requests, and the pace of the client, for answers; `npm run soak` checks that
 * 1,000 clients that do not read take less than 400 MiB.
 */
export const DEFAULT_CONCURRENT = 1000;

/** Parses limits by scope. Each mistake is one line that names the field. */
export function limitMap(): Schema<LimitsInput, Limits> {
  const schema = v.pipe(
    v.custom<LimitsInput>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const given = typeof dataset.value === "string" ? tryJson(dataset.value) : dataset.value;
      if (!isObject(given)) {
        addIssue({ message: 'expected a JSON object such as {"each": {"requests": 60}}' });
        return NEVER;
      }
      const mistakes: Mistake[] = Object.keys(given).filter((name) => !isLimitScope(name)).map((name) => ({
        message: `unknown scope ${quote(name)}${nameHint(name, LIMIT_SCOPES)}`,
        path: issuePath(name),
      }));
      const read = (path: string[], value: unknown): LimitSet => readSet(path, value, mistakes);
      const limits: Limits = {
        each: { concurrent: DEFAULT_CONCURRENT, ...read(["each"], given.each) },
        total: read(["total"], given.total),
        session: read(["session"], given.session),
        keys: new Map(
          keyEntries(given.keys, mistakes).map(([name, set]) => [name, read(["keys", name], set)]),
        ),
      };
      for (const mistake of mistakes) addIssue(mistake);
      return mistakes.length === 0 ? limits : NEVER;
    }),
  );
  return withForm(schema, toForm());
}

/** Reads the limits of one key. Each mistake is one line. */
export function readLimitSet(value: unknown): { set: LimitSet; mistakes: readonly string[] } {
  const mistakes: Mistake[] = [];
  const set = readSet(["limits"], value, mistakes);
  return { set, mistakes: mistakes.map(({ message }) => message) };
}

const LIMIT_SCOPES = ["each", "total", "session", "keys"];

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
const usd = v.pipe(v.number(), v.finite(), v.minValue(0));
const COUNT = {
  schema: v.nullable(wholeNumber),
  allowed: "a whole number of at least 1, or null for no limit",
  form: { type: ["integer", "null"], minimum: 1 },
};
const AMOUNT = {
  schema: v.nullable(usd),
  allowed: "an amount in USD of at least 0, or null for no limit",
  form: { type: ["number", "null"], minimum: 0 },
};

/** Schema of a limit, its description for mistake messages, and its JSON Schema. */
type Field = { schema: v.GenericSchema<number | null>; allowed: string; form: JsonObject };

/** The fields of a set of limits. */
const FIELDS: Record<LimitName, Field> = {
  requests: COUNT,
  input_tokens: COUNT,
  output_tokens: COUNT,
  concurrent: COUNT,
  usd_day: AMOUNT,
  usd_month: AMOUNT,
};

/** Names of all limits. */
export const LIMIT_NAMES: readonly LimitName[] = Object.keys(FIELDS).filter(isLimitName);

/** Returns the JSON Schema of the setting: limits by scope, or their JSON. */
function toForm(): JsonObject {
  const set = {
    type: "object",
    properties: Object.fromEntries(LIMIT_NAMES.map((name) => [name, FIELDS[name].form])),
    additionalProperties: false,
  };
  const scopes = {
    type: "object",
    properties: { each: set, total: set, session: set, keys: { type: "object", additionalProperties: set } },
    additionalProperties: false,
  };
  return { anyOf: [scopes, { type: "string" }] };
}

/** A mistake, and the path of the value that has it. */
type Mistake = { message: string; path: ReturnType<typeof issuePath> };

function readSet(path: readonly string[], value: unknown, mistakes: Mistake[]): LimitSet {
  const set: LimitSet = {};
  if (value === undefined) return set;
  const reject = (keys: readonly string[], why: string) => {
    const [first = "", ...rest] = keys;
    mistakes.push({ message: `${quotePath(keys.join("."))} ${why}`, path: issuePath(first, ...rest) });
  };
  if (!isObject(value)) {
    reject(path, "must be an object of limits");
    return set;
  }
  for (const [name, limit] of Object.entries(value)) {
    if (!isLimitName(name)) {
      reject(path, `has an unknown limit ${quote(name)}${nameHint(name, LIMIT_NAMES)}`);
    } else if (v.is(FIELDS[name].schema, limit)) {
      set[name] = limit;
    } else {
      reject([...path, name], `must be ${FIELDS[name].allowed}`);
    }
  }
  return set;
}

function keyEntries(keys: unknown, mistakes: Mistake[]): [name: string, set: unknown][] {
  if (keys === undefined) return [];
  if (isObject(keys)) return Object.entries(keys);
  mistakes.push({ message: "keys must be an object of limits by key name", path: issuePath("keys") });
  return [];
}

/** Quotes a path for a message if it has special characters; names of keys are not validated here. */
function quotePath(path: string): string {
  return /^[\w.-]{1,100}$/.test(path) ? path : quote(path);
}

function isLimitScope(name: string): boolean {
  return LIMIT_SCOPES.includes(name);
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(FIELDS, name);
}
