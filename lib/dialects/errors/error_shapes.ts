import { isObject, type JsonObject, tryJson } from "../../base/json.ts";

/**
 * Members that hold the error of a body, in order: OpenAI and Google; Cloudflare; MiniMax; Tencent; AWS; Apigee.
 *
 * A body without any of them is the error itself, as that of DashScope (`code`, `message`) or FastAPI (`detail`).
 */
const CONTAINERS = ["error", "errors", "base_resp", "Response", "Error", "fault"];

/** Members that hold the message of an error, in order. */
const MESSAGE_FIELDS = [
  "message",
  "error",
  "detail",
  "msg",
  "status_msg", // MiniMax
  "error_msg", // Baidu
  "errorMessage",
  "error_message",
  "error_description", // OAuth
  "Message", // AWS, Tencent
  "faultstring", // Apigee
  "title", // RFC 9457
];

/** Members that hold a code or type of an error, the most specific first. */
const CODE_FIELDS = [
  "code",
  "type",
  "status",
  "error_code",
  "errorCode",
  "errcode",
  "status_code",
  "Code",
  "__type",
];

/** Maximum depth of an error within the members of `CONTAINERS`. */
const MAX_DEPTH = 3;

/** Start of an HTML page. Other text may begin with `<` too: each message of DashScope begins with `<400>`. */
const HTML_START = /^\s*<(!doctype|!--|\?xml|html|head|body|title|center|h1)\b/i;

/** Start of a stack trace, of JavaScript or of Python. */
const STACK_START =
  /(?:^|\n)(?:[ \t]+at \S.*(?:\(|:\d)|[ \t]*Traceback \(most recent|[ \t]+File ".*", line \d)/;
/** Number of characters of a message that are examined. */
const MAX_RAW_CHARS = 64 * 1024;
/** Maximum length of a plain text that counts as a message. A longer one is a page. */
const MAX_PLAIN_CHARS = 1000;

/** Parses the text of an error response: JSON, the first event of a stream, or a short plain text. */
export function parseErrorText(text: string): unknown {
  const json = tryJson(text);
  if (json !== undefined) return json;
  const data = /^data:(.*)$/m.exec(text)?.[1];
  if (data !== undefined) return tryJson(data.trim()) ?? { message: data.trim() };
  const plain = text.trim();
  const isMessage = plain !== "" && plain.length <= MAX_PLAIN_CHARS && !/^[[{]/.test(plain) &&
    !hasControlCharacters(plain);
  // Not trimmed: a stack trace is recognised by its indentation.
  return isMessage ? { message: text } : undefined;
}

/** Returns the first object of a body, which may be a list or JSON in a string. */
export function firstObject(value: unknown): JsonObject {
  const parsed = typeof value === "string" ? tryJson(value) : value;
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isObject(first) ? first : {};
}

/** Returns the object of a body that describes its error: a member, or the body itself. */
export function findError(body: JsonObject, depth = 0): JsonObject {
  for (const name of depth < MAX_DEPTH ? CONTAINERS : []) {
    const inner = firstObject(body[name]);
    if (Object.keys(inner).length === 0 || isSuccess(inner)) continue;
    return depth > 0 && errorMessage(body) !== undefined ? body : findError(inner, depth + 1);
  }
  return body;
}

/** Returns the codes and types of an error and of the body around it. Those of `base_resp` have its name. */
export function errorCodes(error: JsonObject, body: JsonObject): string[] {
  const prefix = error === body.base_resp ? "base_resp." : "";
  return [...CODE_FIELDS.map((field) => error[field]), body.code]
    .filter((code) => (typeof code === "string" && code !== "") || typeof code === "number")
    .map((code) => `${prefix}${code}`);
}

/** Returns the message of an error. */
export function errorMessage(error: JsonObject): string | undefined {
  return MESSAGE_FIELDS.map((field) => messageText(error[field])).find((text) => text !== undefined);
}

/** Returns the readable part of a message: no HTML page, and no stack trace. */
export function cleanMessage(message: string): string | undefined {
  if (HTML_START.test(message)) return undefined;
  const text = message.slice(0, MAX_RAW_CHARS).replaceAll("\\n", "\n"); // JSON escapes that the upstream did not decode
  return text.split(STACK_START)[0]?.trim() || undefined;
}

/**
 * True if a part of an answer, or a whole one, is an error in any of the shapes that hosts use.
 *
 * A part with `choices` or `usage` is an error only if it says so: other members may hold a text too.
 *
 * @example Usage
 * ```ts
 * import { isFailure } from "./error_shapes.ts";
 *
 * if (!isFailure([{ error: { message: "Slow down" } }])) throw new Error("an error was taken for an answer");
 * if (isFailure({ choices: [], base_resp: { status_code: 0 } })) throw new Error("an answer was taken for an error");
 * ```
 */
export function isFailure(value: unknown): boolean {
  const body = Array.isArray(value) ? firstObject(value) : value;
  if (!isObject(body)) return false;
  if (isErrorList(body.errors)) return true;
  if (body.error || body.object === "error" || body.type === "error") return true;
  if (isObject(body.base_resp) && !isSuccess(body.base_resp)) return true;
  if (Array.isArray(body.choices) || isObject(body.usage)) return false;
  return body.success === false || errorMessage(findError(body)) !== undefined;
}

/** True if a value is an error. Some hosts send an empty one with each answer. */
export function isErrorValue(error: unknown): boolean {
  return isObject(error) ? Object.values(error).some(Boolean) : Boolean(error);
}

/** True for a list of errors, as GraphQL's and Cloudflare's. */
function isErrorList(errors: unknown): boolean {
  return Array.isArray(errors) &&
    errors.some((error) => isObject(error) && errorMessage(error) !== undefined);
}

/** True for MiniMax's `base_resp` of an answer without an error. */
function isSuccess({ status_code }: JsonObject): boolean {
  return status_code === 0 || status_code === "0";
}

/** Returns a text, or FastAPI's validation errors as `location: message` without the input that they repeat. */
function messageText(value: unknown): string | undefined {
  // Some gateways put the body of the host behind them into their message.
  const inner = typeof value === "string" && value.startsWith("{") ? tryJson(value) : undefined;
  if (isObject(inner)) return errorMessage(findError(inner)) ?? cleanMessage(String(value));
  if (typeof value === "string") return cleanMessage(value);
  if (isObject(value)) return messageText(value.message ?? value.detail);
  if (!Array.isArray(value)) return undefined;
  const lines = value.filter(isObject).flatMap(({ loc, msg }) =>
    typeof msg === "string" ? [`${Array.isArray(loc) ? `${loc.join(".")}: ` : ""}${msg}`] : []
  );
  return lines.length === 0 ? undefined : lines.join("; ");
}

/** True for bytes that are no text. Line ends and tabs are text. */
function hasControlCharacters(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\0-\x08\x0e-\x1f\ufffd]/.test(text);
}
