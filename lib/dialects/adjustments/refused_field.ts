import { isObject } from "../../base/json.ts";
import type { Adjustment, FieldOwner } from "./adjustment.ts";

/** Name of a field in a refusal, which may be a path such as `tools.0.custom.strict` or `reasoning.effort`. */
const NAME = String.raw`(?<name>[A-Za-z_][\w.[\]-]{1,120})`;
const QUOTE = `["'\`]`;

/** Words by which hosts name a field that they do not take. */
const REFUSED_FIELDS: readonly RegExp[] = [
  // OpenAI and Azure
  `unsupported parameter: ${QUOTE}${NAME}${QUOTE}`,
  `unrecognized request arguments? supplied: ${QUOTE}?${NAME}`,
  `unknown (?:parameter|field|argument|name)[: ]+\\\\?${QUOTE}${NAME}\\\\?${QUOTE}`,
  `${QUOTE}${NAME}${QUOTE} does not support \\S{1,40} with this model\\. only the default`,
  // xAI
  `(?:does|do)(?: not|n't) support (?:the )?(?:parameter|argument|field)s?:? ?[\\[{]?${QUOTE}?${NAME}`,
  `argument not supported on this model: ${QUOTE}?${NAME}`,
  // Moonshot
  `invalid ${NAME}: only \\S{1,20} is allowed`,
  // Groq, Cerebras
  `(?:property|parameter|argument|field) ${QUOTE}${NAME}${QUOTE} (?:is|are) (?:not supported|unsupported|not allowed|deprecated)`,
  // Anthropic, and others
  `${QUOTE}${NAME}${QUOTE} (?:is|are) (?:not supported|unsupported|deprecated)(?: (?:with|by|for|on|in) (?:this|the) (?:model|endpoint)|\\.?$)`,
  `the ${NAME} (?:parameter|field|argument) is (?:not supported|unsupported|deprecated)`,
  `(?<![\\w.])${NAME}${QUOTE}? and ${QUOTE}?(?:temperature|top_p)${QUOTE}? cannot both be specified`,
  // FastAPI and Pydantic, Fireworks, Bedrock, JSON Schema validators, zod
  `(?<![\\w.])${NAME}: extra (?:inputs are|fields) not permitted`,
  `["']loc["']: [([]["']body["'], ["']${NAME}["'][)\\]], ["']msg["']: ["']extra inputs are not permitted`,
  `extra inputs are not permitted, field: ${QUOTE}${NAME}`,
  `extraneous key \\[${NAME}\\] is not permitted`,
  `additional properties are not allowed \\(${QUOTE}${NAME}${QUOTE}`,
  `unrecognized keys?(?:\\(s\\))? in object: ${QUOTE}${NAME}`,
].map((pattern) => new RegExp(pattern, "i"));

/** Error codes that say that `param` is not taken, with any message. */
const FIELD_CODES = new Set(["unsupported_parameter", "unknown_parameter"]);

/**
 * Returns the change for a refusal that names a field of the body which the host does not take.
 *
 * @example Usage
 * ```ts
 * import { findRefusedField } from "./refused_field.ts";
 *
 * const found = findRefusedField("tools.0.custom.eager_input_streaming: Extra inputs are not permitted", undefined);
 * const expected = '{"change":"drop_field","within":"tools","field":"eager_input_streaming"}';
 * if (JSON.stringify(found) !== expected) throw new Error(JSON.stringify(found));
 * ```
 */
export function findRefusedField(message: string, body: unknown): Adjustment | undefined {
  const named = REFUSED_FIELDS.map((pattern) => pattern.exec(message)?.groups?.name).find(Boolean);
  const name = named ?? refusedParam(body);
  return name === undefined ? undefined : toChange(name);
}

/** Returns `error.param` if the error's code says that the host does not take it. */
function refusedParam(body: unknown): string | undefined {
  const error = isObject(body) && isObject(body.error) ? body.error : body;
  if (!isObject(error) || typeof error.param !== "string" || typeof error.code !== "string") return undefined;
  return FIELD_CODES.has(error.code) ? error.param : undefined;
}

function toChange(name: string): Adjustment | undefined {
  const path = name.replace(/[[\]]+/g, ".").split(".").filter(Boolean);
  if (path[0] === "body") path.shift();
  const [first = "", ...rest] = path;
  const field = path.at(-1) ?? "";
  const cached = path.indexOf("cache_control");
  if (cached >= 0 && cached < path.length - 1) {
    return { change: "drop_field", within: "cache_control", field };
  }
  if (field === "cache_control") return { change: "drop_cache_control" };
  if (field === "strict") return { change: "drop_strict" };
  const owner = first === "input" ? "messages" : first;
  if (rest.length > 0 && isOwner(owner)) return toFieldChange(owner, field);
  return toParameterChange([snakeCase(first), ...rest].join("."));
}

function isOwner(name: string): name is FieldOwner {
  return name === "tools" || name === "messages" || name === "system";
}

/** Fields that a tool, a message or a block cannot do without. */
const ESSENTIAL_FIELDS =
  /^(type|name|role|content|text|id|input|input_schema|function|parameters|arguments|tool_calls|tool_call_id|tool_use_id|source|data|url|image_url|media_type|thinking|signature|call_id|output|summary|encrypted_content|file_data|file_url)$/;

function toFieldChange(within: FieldOwner, field: string): Adjustment | undefined {
  if (within === "messages" && /^reasoning(_content|_details)?$/.test(field)) {
    return { change: "drop_reasoning_fields" };
  }
  // An index or the kind of a block is no field.
  if (/^\d+$/.test(field) || ESSENTIAL_FIELDS.test(field)) return undefined;
  return { change: "drop_field", within, field };
}

/** Fields without which a request has no sense. */
const ESSENTIAL_PARAMETERS =
  /^(model|messages|input|instructions|system|prompt|stream|tools|functions)(\.|$)/;

function toParameterChange(parameter: string): Adjustment | undefined {
  if (ESSENTIAL_PARAMETERS.test(parameter)) return undefined;
  switch (parameter) {
    case "tool_choice":
      return { change: "tool_choice_auto" };
    case "response_format":
    case "text":
    case "text.format":
    case "output_format":
    case "output_config.format":
      return { change: "drop_response_format" };
    case "max_tokens":
      return { change: "rename_parameter", parameter, to: "max_completion_tokens" };
    case "max_completion_tokens":
      return { change: "rename_parameter", parameter, to: "max_tokens" };
    case "reasoning_content":
    case "reasoning_details":
      return { change: "drop_reasoning_fields" };
    default:
      return { change: "drop_parameter", parameter };
  }
}

/** xAI names the fields of its own API: `reasoningEffort`. */
function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
