import * as v from "valibot";
import { DIALECT_CHOICES, type DialectChoice, HOST_NAMES, type HostName, type Preset } from "./presets.ts";
import { quote } from "../base/redact.ts";
import { isObject, tryJson } from "../base/json.ts";
import { orVariable, withForm } from "./json_form.ts";
import { nameHint, nearestName } from "./nearest.ts";
import { baseUrl, issuePath, oneOf, type Schema, text } from "./schemas.ts";

export type { DialectChoice, HostName, Preset };

/** Upstream of the setting `UPSTREAMS`. */
export type NamedUpstream = {
  /** Base URL of its API, such as `https://api.groq.com/openai/v1`. */
  url: string;
  /** Its key; unset if it needs none. The client's key is never sent to it. */
  key?: string;
  /** API to call: `openai`, `anthropic`, or `auto` for the host's preferred one. */
  dialect?: DialectChoice;
  /** Kind of upstream. Default: derived from its name or URL. */
  preset?: HostName;
  /** Headers added to every request. */
  headers?: Record<string, string>;
  /** `api-version` query parameter, which Azure requires. */
  api_version?: string;
};

/** Upstreams as given in settings: by name, as a list, or the JSON of either. */
export type UpstreamsInput =
  | string
  | Readonly<Record<string, NamedUpstream>>
  | readonly (NamedUpstream & { name: string })[];

/** Names of the built-in upstreams. */
export const BUILT_IN_UPSTREAMS = ["openrouter", "demo"];

/** Parses upstreams by name. Each mistake is one line and holds no field value. */
export function upstreamMap(): Schema<UpstreamsInput, ReadonlyMap<string, NamedUpstream>> {
  const schema = v.pipe(
    v.custom<UpstreamsInput>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const upstreams = new Map<string, NamedUpstream>();
      const given = toEntries(dataset.value);
      if (given === undefined) {
        addIssue({ message: EXPECTED });
        return NEVER;
      }
      const mistakes = given.flatMap(({ key, name, fields }) => {
        const parsed = readUpstream(fields);
        const problems = [...nameMistakes(name, upstreams), ...parsed.mistakes];
        if (parsed.upstream !== undefined) upstreams.set(name, parsed.upstream);
        return problems.map(({ text, field }) => ({
          message: `upstream ${quote(name)} ${text}`,
          path: issuePath(key, ...(field === undefined ? [] : [field])),
        }));
      });
      for (const mistake of mistakes) addIssue(mistake);
      return mistakes.length === 0 ? upstreams : NEVER;
    }),
  );
  return withForm(schema, FORM);
}

const EXPECTED =
  'expected a JSON object such as {"groq": {"url": "https://api.groq.com/openai/v1", "key": "…"}}';

type Field = keyof NamedUpstream;

/** Schema of each field, and its description for mistake messages. */
const FIELDS: Record<Field, { schema: v.GenericSchema; allowed: string }> = {
  url: { schema: baseUrl(), allowed: "an http or https URL without user name, password, query and fragment" },
  key: { schema: text("", /^[!-~]+$/), allowed: "printable ASCII characters without spaces" },
  dialect: { schema: oneOf(DIALECT_CHOICES), allowed: "auto, openai, responses or anthropic" },
  preset: { schema: v.picklist(HOST_NAMES), allowed: `one of ${HOST_NAMES.join(", ")}` },
  headers: {
    schema: v.pipe(
      v.custom<object>(isObject),
      v.record(
        v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]+$/)),
        v.pipe(v.string(), v.regex(/^[\t -~]*$/)),
      ),
    ),
    allowed: "an object of headers, each a single line of ASCII text",
  },
  api_version: { schema: text("", /^[\w.-]+$/), allowed: "a version such as 2024-10-21" },
};

/** JSON Schema of an upstream in the configuration file. */
const UPSTREAM_FORM = {
  type: "object",
  properties: {
    url: { type: "string" },
    key: { type: "string" },
    dialect: orVariable({ enum: [...DIALECT_CHOICES] }),
    preset: orVariable({ enum: [...HOST_NAMES] }),
    headers: { type: "object", additionalProperties: { type: "string" } },
    api_version: { type: "string" },
  },
  required: ["url"],
};

/** JSON Schema of the setting: upstreams by name, as a list, or the JSON of either. */
const FORM = {
  anyOf: [
    { type: "object", additionalProperties: { ...UPSTREAM_FORM, additionalProperties: false } },
    {
      type: "array",
      items: { ...UPSTREAM_FORM, properties: { name: { type: "string" }, ...UPSTREAM_FORM.properties } },
    },
    { type: "string" },
  ],
};

/** An upstream as given, under its key in the object or the list. */
type Entry = { key: string | number; name: string; fields: unknown };

function toEntries(value: unknown): Entry[] | undefined {
  const given = typeof value === "string" ? tryJson(value) : value;
  if (isObject(given)) return Object.entries(given).map(([name, fields]) => ({ key: name, name, fields }));
  if (!Array.isArray(given)) return undefined;
  return given.map((entry: unknown, key) => {
    const { name, ...fields } = isObject(entry) ? entry : {};
    return { key, name: typeof name === "string" ? name : "", fields };
  });
}

/** A mistake in an upstream, or in one of its fields. */
type Mistake = { text: string; field?: string };

function nameMistakes(name: string, others: ReadonlyMap<string, unknown>): Mistake[] {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    return [{ text: 'must have a name of letters, digits, ".", "_" and "-"' }];
  }
  if (BUILT_IN_UPSTREAMS.includes(name)) return [{ text: "has the name of a built-in upstream" }];
  return others.has(name) ? [{ text: "is defined twice" }] : [];
}

function readUpstream(fields: unknown): { upstream?: NamedUpstream; mistakes: Mistake[] } {
  if (!isObject(fields)) return { mistakes: [{ text: 'must be an object with a "url"' }] };
  const mistakes: Mistake[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ url: undefined, ...fields })) {
    if (!isField(name)) {
      const text = `has an unknown field ${quote(name)}${nameHint(name, Object.keys(FIELDS))}`;
      mistakes.push({ text, field: name });
      continue;
    }
    const result = v.safeParse(FIELDS[name].schema, value);
    if (result.success) parsed[name] = result.output;
    else mistakes.push({ text: fieldMistake(name, value), field: name });
  }
  // The parse boundary: every field is valid, and `url` is present.
  return mistakes.length === 0 ? { upstream: parsed as NamedUpstream, mistakes } : { mistakes };
}

function fieldMistake(field: Field, value: unknown): string {
  const nearest = field === "preset" && typeof value === "string"
    ? nearestName(value, HOST_NAMES)
    : undefined;
  const suggestion = nearest === undefined ? "" : `; the nearest is "${nearest}"`;
  return `has an invalid ${field}: expected ${FIELDS[field].allowed}${suggestion}`;
}

function isField(name: string): name is Field {
  return Object.hasOwn(FIELDS, name);
}
