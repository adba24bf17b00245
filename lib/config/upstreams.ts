import * as v from "valibot";
import { DIALECT_CHOICES, type DialectChoice, HOST_NAMES, type HostName, type Preset } from "./presets.ts";
import { quote } from "../base/redact.ts";
import { isObject, tryJson } from "../base/json.ts";
import { nameHint, nearestName } from "./nearest.ts";
import { baseUrl, oneOf, type Schema, text } from "./schemas.ts";

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
  return v.pipe(
    v.custom<UpstreamsInput>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const upstreams = new Map<string, NamedUpstream>();
      const given = toEntries(dataset.value);
      if (given === undefined) {
        addIssue({ message: EXPECTED });
        return NEVER;
      }
      const mistakes = given.flatMap(([name, fields]) => {
        const parsed = readUpstream(fields);
        const problems = [...nameMistakes(name, upstreams), ...parsed.mistakes];
        if (parsed.upstream !== undefined) upstreams.set(name, parsed.upstream);
        return problems.map((mistake) => `upstream ${quote(name)} ${mistake}`);
      });
      for (const message of mistakes) addIssue({ message });
      return mistakes.length === 0 ? upstreams : NEVER;
    }),
  );
}

const EXPECTED =
  'expected a JSON object such as {"groq": {"url": "https://api.groq.com/openai/v1", "key": "…"}}';

type Field = keyof NamedUpstream;

/** Schema of each field, and its description for mistake messages. */
const FIELDS: Record<Field, { schema: v.GenericSchema; allowed: string }> = {
  url: { schema: baseUrl(), allowed: "an http or https URL without user name, password, query and fragment" },
  key: { schema: text("", /^[!-~]+$/), allowed: "printable characters without spaces" },
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

function toEntries(value: unknown): [name: string, fields: unknown][] | undefined {
  const given = typeof value === "string" ? tryJson(value) : value;
  if (isObject(given)) return Object.entries(given);
  if (!Array.isArray(given)) return undefined;
  return given.map((entry: unknown) => {
    const { name, ...fields } = isObject(entry) ? entry : {};
    return [typeof name === "string" ? name : "", fields];
  });
}

function nameMistakes(name: string, others: ReadonlyMap<string, unknown>): string[] {
  if (!/^[\w.-]{1,64}$/.test(name)) return ['must have a name of letters, digits, ".", "_" and "-"'];
  if (BUILT_IN_UPSTREAMS.includes(name)) return ["has the name of a built-in upstream"];
  return others.has(name) ? ["is defined twice"] : [];
}

function readUpstream(fields: unknown): { upstream?: NamedUpstream; mistakes: string[] } {
  if (!isObject(fields)) return { mistakes: ['must be an object with a "url"'] };
  const mistakes: string[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ url: undefined, ...fields })) {
    if (!isField(name)) {
      mistakes.push(
        `has an unknown field ${quote(name)}${nameHint(name, Object.keys(FIELDS))}`,
      );
      continue;
    }
    const result = v.safeParse(FIELDS[name].schema, value);
    if (result.success) parsed[name] = result.output;
    else mistakes.push(fieldMistake(name, value));
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
