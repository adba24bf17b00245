import { closestMatch } from "leven";
import * as v from "valibot";
import { quote } from "../base/redact.ts";
import { isObject, tryJson } from "../base/json.ts";
import type { Schema } from "./schemas.ts";

/** What may be limited; `null` lifts a limit that would hold otherwise. */
export type LimitSet = {
  /** Messages a minute. */
  requests?: number | null;
  /** Tokens of requests a minute; what the upstream read from its cache does not count. */
  input_tokens?: number | null;
  /** Tokens of answers a minute. */
  output_tokens?: number | null;
  /** Answers that are being given at once, streamed or not. */
  concurrent?: number | null;
  /** USD in a day and in a month, by UTC. */
  usd_day?: number | null;
  usd_month?: number | null;
};

/** The name of a limit. */
export type LimitName = keyof LimitSet;

/** Limits as they may be given: as JSON, or as what that says. */
export type LimitsInput = string | {
  /** Of each key of the gateway's. */
  each?: LimitSet;
  /** Of all keys together. */
  total?: LimitSet;
  /** Of each session of Claude Code. */
  session?: LimitSet;
  /** Of keys by their names, before what `each` says. */
  keys?: Readonly<Record<string, LimitSet>>;
};

/** The limits in force. */
export type Limits = {
  each: LimitSet;
  total: LimitSet;
  session: LimitSet;
  keys: ReadonlyMap<string, LimitSet>;
};

/** Answers that one key may be given at once where nobody says otherwise. */
export const CONCURRENT = 50;

/** Limits by whom they hold; each mistake is one line that names the field. */
export function limitMap(): Schema<LimitsInput, Limits> {
  return v.pipe(
    v.custom<LimitsInput>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const given = typeof dataset.value === "string" ? tryJson(dataset.value) : dataset.value;
      if (!isObject(given)) {
        addIssue({ message: 'expected a JSON object such as {"each": {"requests": 60}}' });
        return NEVER;
      }
      const mistakes = Object.keys(given).filter((name) => !isLimitScope(name)).map((name) =>
        `it has an unknown part ${quote(name)}, the nearest is ${
          closestMatch(name.slice(0, MAX_SUGGEST_CHARS), LIMIT_SCOPES)
        }`
      );
      const read = (path: string, value: unknown): LimitSet => readSet(path, value, mistakes);
      const limits: Limits = {
        each: { concurrent: CONCURRENT, ...read("each", given.each) },
        total: read("total", given.total),
        session: read("session", given.session),
        keys: new Map(
          keyEntries(given.keys, mistakes).map(([name, set]) => [name, read(`keys.${name}`, set)]),
        ),
      };
      for (const message of mistakes) addIssue({ message });
      return mistakes.length === 0 ? limits : NEVER;
    }),
  );
}

const LIMIT_SCOPES = ["each", "total", "session", "keys"];

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
const usd = v.pipe(v.number(), v.finite(), v.minValue(0));
const COUNT = { schema: v.nullable(wholeNumber), allowed: "a whole number from 1, or null for no limit" };
const AMOUNT = { schema: v.nullable(usd), allowed: "an amount of USD, 0 or more, or null for no limit" };

/** What each limit may be, and how to say so. */
const FIELDS: Record<LimitName, { schema: v.GenericSchema<number | null>; allowed: string }> = {
  requests: COUNT,
  input_tokens: COUNT,
  output_tokens: COUNT,
  concurrent: COUNT,
  usd_day: AMOUNT,
  usd_month: AMOUNT,
};

/** The names of all limits. */
export const LIMIT_NAMES: readonly LimitName[] = Object.keys(FIELDS).filter(isLimitName);

/** The longest name for which the nearest is looked up, in characters. */
const MAX_SUGGEST_CHARS = 64;

function readSet(path: string, value: unknown, mistakes: string[]): LimitSet {
  const set: LimitSet = {};
  if (value === undefined) return set;
  if (!isObject(value)) {
    mistakes.push(`${quotePath(path)} needs to be an object of limits`);
    return set;
  }
  for (const [name, limit] of Object.entries(value)) {
    if (!isLimitName(name)) {
      const nearest = closestMatch(name.slice(0, MAX_SUGGEST_CHARS), [...LIMIT_NAMES]);
      mistakes.push(`${quotePath(path)} has an unknown limit ${quote(name)}, the nearest is ${nearest}`);
    } else if (v.is(FIELDS[name].schema, limit)) {
      set[name] = limit;
    } else {
      mistakes.push(`${quotePath(`${path}.${name}`)} needs to be ${FIELDS[name].allowed}`);
    }
  }
  return set;
}

function keyEntries(keys: unknown, mistakes: string[]): [name: string, set: unknown][] {
  if (keys === undefined) return [];
  if (isObject(keys)) return Object.entries(keys);
  mistakes.push("keys needs to be an object of limits by the names of keys");
  return [];
}

/** A path for a message; the name of a key may hold anything. */
function quotePath(path: string): string {
  return /^[\w.-]{1,100}$/.test(path) ? path : quote(path);
}

function isLimitScope(name: string): boolean {
  return LIMIT_SCOPES.includes(name);
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(FIELDS, name);
}
