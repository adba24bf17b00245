import * as v from "valibot";
import { ApiError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { MAX_KEY_CHARS } from "../base/hash/text_key.ts";
import { isValid } from "./is_valid.ts";
import { MAX_ISSUES } from "./bounded_list.ts";
import { CountTokensRequest, MessagesRequest } from "./schema.ts";

/**
 * Validates the body of `POST /v1/messages`. Returns the same object.
 *
 * @throws {ApiError} `invalid_request_error` with Anthropic's wording.
 *
 * @example Usage
 * ```ts
 * import { parseMessagesRequest } from "./parse.ts";
 *
 * parseMessagesRequest({ model: "m", max_tokens: 8, messages: [{ role: "user", content: "Hi" }] });
 * ```
 */
export function parseMessagesRequest(body: unknown): MessagesRequest {
  if (isValid(MessagesRequest, body)) return assertKeyLengths(body);
  throw invalidRequestError(v.safeParse(MessagesRequest, body).issues);
}

/**
 * Validates the body of `POST /v1/messages/count_tokens`, where `max_tokens` is not required. Returns the same object.
 *
 * @throws {ApiError} `invalid_request_error` with Anthropic's wording.
 */
export function parseCountTokensRequest(body: unknown): CountTokensRequest {
  if (isValid(CountTokensRequest, body)) return assertKeyLengths(body);
  throw invalidRequestError(v.safeParse(CountTokensRequest, body).issues);
}

function assertKeyLengths<Request extends CountTokensRequest>(request: Request): Request {
  const steps = findLongKey(request);
  if (steps === undefined) return request;
  const path = steps.toReversed().join(".");
  throw new ApiError(
    "invalid_request_error",
    `${path}: String should have at most ${MAX_KEY_CHARS} characters`,
  );
}

function invalidRequestError(issues: readonly v.BaseIssue<unknown>[] = []): ApiError {
  const lines = new Set(issues.slice(0, MAX_ISSUES).map(describeIssue));
  return new ApiError("invalid_request_error", [...lines].join("; "));
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const { path = [] } = issue;
  const last = path.at(-1);
  // valibot accepts a list as an object and reports its fields as missing.
  return typeof last?.key === "string" && Array.isArray(last.input)
    ? `${formatIssuePath(path.slice(0, -1))}${NOT_AN_OBJECT}`
    : `${formatIssuePath(path)}${issueMessage(issue)}`;
}

function issueMessage(issue: v.BaseIssue<unknown>): string {
  const missing = issue.input === undefined && issue.path !== undefined;
  if (missing) return "Field required";
  if (issue.type === "literal") return `Input should be ${issue.expected?.replaceAll('"', "'")}`;
  if (issue.type === "loose_object") return NOT_AN_OBJECT;
  return issue.message;
}

const NOT_AN_OBJECT = "Input should be an object";

/**
 * Formats the path of an issue as Anthropic does: dotted, with the type of each tagged object
 * (`messages.0.content.1.image.source.base64.data: `).
 */
function formatIssuePath(path: readonly v.IssuePathItem[]): string {
  const steps = path.flatMap((item, at) => {
    const next = path[at + 1];
    const kind = next && next.key !== "type" ? kindOf(item.value, path[at - 1]?.key) : undefined;
    return kind === undefined ? [String(item.key)] : [String(item.key), kind];
  });
  return steps.length > 0 ? `${steps.join(".")}: ` : "";
}

function kindOf(value: unknown, list: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("type" in value && typeof value.type === "string") return value.type;
  return list === "tools" ? "custom" : undefined;
}

/** Returns the path to an id or a name that is too long, last step first, or `undefined`. */
function findLongKey({ tools, messages }: CountTokensRequest): string[] | undefined {
  const steps = findInList(tools);
  if (steps !== undefined) return [...steps, "tools"];
  for (let at = 0; at < messages.length; at++) {
    const steps = findInList(messages[at]?.content);
    if (steps !== undefined) return [...steps, "content", String(at), "messages"];
  }
  return undefined;
}

function findInList(list: unknown): string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  for (let at = 0; at < list.length; at++) {
    const steps = findInItem(list[at]);
    if (steps !== undefined) return [...steps, String(at)];
  }
  return undefined;
}

function findInItem(item: unknown): string[] | undefined {
  if (!isObject(item)) return undefined;
  // The fields by which blocks and tools are looked up.
  if (isTooLong(item.id)) return ["id"];
  if (isTooLong(item.name)) return ["name"];
  if (isTooLong(item.tool_use_id)) return ["tool_use_id"];
  if (isTooLong(item.tool_name)) return ["tool_name"];
  if (isTooLong(item.server_name)) return ["server_name"];
  if (isTooLong(item.mcp_server_name)) return ["mcp_server_name"];
  // A result has references to tools, a change of tools has the tool.
  const { content, tool } = item;
  const inContent = findInList(content);
  if (inContent !== undefined) return [...inContent, "content"];
  const inTool = findInItem(tool);
  return inTool && [...inTool, "tool"];
}

function isTooLong(key: unknown): boolean {
  return typeof key === "string" && key.length > MAX_KEY_CHARS;
}
