import { isObject } from "../base/json.ts";
import type { ContentBlock, Message, MessagesRequest } from "./schema.ts";
import { type ToolChange, ToolSet } from "./tool_set.ts";

/** A request whose changes of tools are applied, so that none of its blocks changes them. */
export interface AppliedToolChanges {
  request: MessagesRequest;
  /** Paths of the blocks that were applied. */
  applied: readonly string[];
  /** Paths of the blocks that name an unknown tool, or have another form. */
  ignored: readonly string[];
  /** Maps a path of `request` to the client's request. */
  toClientPath(path: string): string;
}

/**
 * Applies the blocks `tool_addition` and `tool_removal` of system messages to the `tools` of a request, in order, for
 * models that know no such blocks. Also applies the `tool_changes` of compaction blocks, which stand for earlier ones.
 * Returns `undefined` if there are none.
 *
 * An addition defines a tool, or names one: a deferred tool is then loaded, and a removed one comes back.
 * Source: https://github.com/anthropics/anthropic-sdk-typescript, `BetaRequestToolAdditionBlock`
 *
 * @example Usage
 * ```ts
 * import { parseMessagesRequest } from "./parse.ts";
 * import { applyToolChanges } from "./tool_changes.ts";
 *
 * const removal = { type: "tool_removal", tool: { type: "tool_reference", name: "clock" } };
 * const request = parseMessagesRequest({
 *   model: "m",
 *   max_tokens: 8,
 *   tools: [{ name: "clock", input_schema: { type: "object" } }],
 *   messages: [{ role: "user", content: "Hi" }, { role: "system", content: [removal] }],
 * });
 * if (applyToolChanges(request)?.request.tools !== undefined) throw new Error("the tool is still offered");
 * ```
 */
export function applyToolChanges(request: MessagesRequest): AppliedToolChanges | undefined {
  if (!request.messages.some(hasChanges)) return undefined;
  const changes = request.messages.flatMap(findChanges);
  const toolSet = new ToolSet(request.tools ?? []);
  const applied: string[] = [];
  const ignored: string[] = [];
  for (const change of changes) (toolSet.apply(change) ? applied : ignored).push(change.path);
  const { tools } = toolSet;
  const { tools: _tools, ...rest } = request;
  const keptIndexes = new Map<number, number[]>();
  return {
    request: {
      ...rest,
      messages: request.messages.map(withoutChanges),
      ...(tools.length > 0 && { tools: tools.map(({ tool }) => tool) }),
    },
    applied,
    ignored,
    toClientPath(path) {
      const [, tool, member = ""] = /^tools\.(\d+)(.*)$/s.exec(path) ?? [];
      if (tool !== undefined) return (tools[Number(tool)]?.path ?? `tools.${tool}`) + member;
      const [, at, nth, rest = ""] = /^messages\.(\d+)\.content\.(\d+)(.*)$/s.exec(path) ?? [];
      const message = request.messages[Number(at)];
      if (message === undefined) return path;
      const indexes = keptIndexes.get(Number(at)) ?? indexesOfKept(message);
      keptIndexes.set(Number(at), indexes);
      return `messages.${at}.content.${indexes[Number(nth)] ?? nth}${rest}`;
    },
  };
}

const NO_CHANGES: readonly unknown[] = [];
const CHANGE_TYPES = new Set(["tool_addition", "tool_removal"]);

function hasChanges({ role, content }: Message): boolean {
  if (typeof content === "string") return false;
  for (const block of content) {
    if (isChange(role, block) || compactedChanges(block).some(isObject)) return true;
  }
  return false;
}

function findChanges({ role, content }: Message, at: number): ToolChange[] {
  if (typeof content === "string") return [];
  return content.flatMap((block, nth): ToolChange[] => {
    const path = `messages.${at}.content.${nth}`;
    if (isChange(role, block)) return [{ block, path }];
    return compactedChanges(block).flatMap((change, index) =>
      isObject(change) ? [{ block: change, path: `${path}.tool_changes.${index}` }] : []
    );
  });
}

function withoutChanges(message: Message): Message {
  const { role, content } = message;
  if (typeof content === "string") return message;
  const kept = content.filter((block) => !isChange(role, block)).map((block) =>
    compactedChanges(block).length === 0 ? block : { ...block, tool_changes: null }
  );
  const unchanged = kept.length === content.length && kept.every((block, nth) => block === content[nth]);
  return unchanged ? message : { ...message, content: kept };
}

function indexesOfKept({ role, content }: Message): number[] {
  if (typeof content === "string") return [];
  return content.flatMap((block, nth) => isChange(role, block) ? [] : [nth]);
}

function isChange(role: string, { type }: ContentBlock): boolean {
  return role === "system" && CHANGE_TYPES.has(type);
}

/** Returns the changes of the messages that a compaction block stands for. */
function compactedChanges(block: ContentBlock): readonly unknown[] {
  const { type, tool_changes: changes }: { type: string; tool_changes?: unknown } = block;
  return type === "compaction" && Array.isArray(changes) ? changes : NO_CHANGES;
}
