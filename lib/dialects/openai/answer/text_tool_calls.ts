import { AnswerSize } from "../../../anthropic/answer_size.ts";
import { isObject, tryJson } from "../../../base/json.ts";

/** A tool call that a model wrote into its text. */
export interface TextToolCall {
  name: string;
  /** Arguments as JSON. */
  input: string;
}

/**
 * Finds tool calls at the end of a text, in the formats of the models' chat templates. Some hosts do not parse them.
 *
 * Calls count only if they begin a line, only other calls follow up to the end, and all their tools are offered. All
 * other text passes unchanged. The pieces may be cut anywhere.
 *
 * @example Usage
 * ```ts
 * import { TextToolCalls } from "./text_tool_calls.ts";
 *
 * const reader = new TextToolCalls(new Set(["read"]));
 * const text = reader.push("I look.\n<tool") +
 *   reader.push('_call>{"name":"read","arguments":{"path":"a"}}</tool_call>');
 * const { calls } = reader.end();
 * if (text !== "I look.\n" || calls[0]?.input !== '{"path":"a"}') throw new Error(text);
 * ```
 */
export class TextToolCalls {
  readonly #offered: ReadonlySet<string>;
  /** Text held back because it may be a call or the beginning of one. */
  #held = "";
  readonly #size = new AnswerSize();
  /** True if the held text begins like a call. */
  #inCall = false;
  /** True if the current line has only whitespace so far. */
  #atLineStart = true;

  /** `offered` has the names of the tools that may be called. */
  constructor(offered: ReadonlySet<string>) {
    this.#offered = offered;
  }

  /** Adds a piece of the text. Returns the text that cannot be part of a call. */
  push(piece: string): string {
    if (this.#inCall) this.#size.add(piece);
    let text = this.#held + piece;
    let released = "";
    while (!this.#inCall) {
      const start = this.#atLineStart ? text.search(/\S/) : -1;
      const rest = start < 0 ? "" : text.slice(start);
      if (CALL_OPENINGS.some((opening) => rest.startsWith(opening))) {
        this.#inCall = true;
        released += text.slice(0, start);
        text = rest;
      } else if (rest !== "" && CALL_OPENINGS.some((opening) => opening.startsWith(rest))) {
        break; // may still become a call
      } else {
        const end = text.indexOf("\n", Math.max(start, 0));
        released += end < 0 ? text : text.slice(0, end + 1);
        this.#atLineStart = end >= 0 || (this.#atLineStart && start < 0);
        text = end < 0 ? "" : text.slice(end + 1);
        if (text === "") break;
      }
    }
    this.#held = text;
    return released;
  }

  /** Ends the text. Returns the calls at its end if it is `complete`, or else the text that was held back. */
  end(complete = true): { calls: TextToolCall[]; text: string } {
    const text = this.#held;
    this.#held = "";
    this.#inCall = false;
    this.#atLineStart = true;
    const calls = (complete && parseCalls(text)) || [];
    return calls.length > 0 && calls.every(({ name }) => this.#offered.has(name))
      ? { calls, text: "" }
      : { calls: [], text };
  }
}

/** Beginnings of calls in the formats of Qwen, GLM, Mistral, Kimi, MiniMax and models with Claude's format. */
const CALL_OPENINGS = [
  "<tool_call>",
  "<function=",
  "<function_calls>",
  "<minimax:tool_call>",
  "<invoke name=",
  "[TOOL_CALLS]",
  "<|tool_calls_section_begin|>",
];

/** Whitespace and tags around and between calls. */
const CALL_WRAPPERS = /^(\s|<\/?(function_calls|minimax:tool_call)>|<\|tool_calls_section_(begin|end)\|>)+/;

/** Formats of calls, each with its parser. */
const CALL_FORMS:
  readonly (readonly [form: RegExp, read: (groups: MatchGroups) => TextToolCall[] | undefined])[] = [
    [/^<tool_call>\s*(?<json>\{[^]*?\})\s*<\/tool_call>/, ({ json }) => parseJsonCalls(`[${json}]`)],
    [
      /^(<tool_call>\s*)?<function=(?<name>[^>\s]+)>(?<body>[^]*?)<\/function>(\s*<\/tool_call>)?/,
      ({ name, body }) =>
        parseArgumentPairs(name, body, /<parameter=(?<key>[^>]+)>\n?(?<value>[^]*?)\n?<\/parameter>/g),
    ],
    [
      /^<tool_call>(?<name>[^<\s]+)\s*(?<body>[^]*?)<\/tool_call>/,
      ({ name, body }) =>
        parseArgumentPairs(
          name,
          body,
          /<arg_key>(?<key>[^]*?)<\/arg_key>\s*<arg_value>(?<value>[^]*?)<\/arg_value>/g,
        ),
    ],
    [
      /^<invoke name="(?<name>[^"]+)">(?<body>[^]*?)<\/invoke>/,
      ({ name, body }) =>
        parseArgumentPairs(name, body, /<parameter name="(?<key>[^"]+)"[^>]*>(?<value>[^]*?)<\/parameter>/g),
    ],
    [/^\[TOOL_CALLS\]\s*(?<json>\[[^]*\])/, ({ json }) => parseJsonCalls(json)],
    [
      /^<\|tool_call_begin\|>\s*(functions\.)?(?<name>[^<:\s]+)(:\d+)?\s*<\|tool_call_argument_begin\|>(?<input>[^]*?)<\|tool_call_end\|>/,
      ({ name = "", input = "" }) => isObject(tryJson(input)) ? [{ name, input: input.trim() }] : undefined,
    ],
  ];

type MatchGroups = Record<string, string | undefined>;

/** Parses a text that consists of calls. Returns undefined if it has anything else. */
function parseCalls(text: string): TextToolCall[] | undefined {
  const calls: TextToolCall[] = [];
  for (let rest = text.replace(CALL_WRAPPERS, ""); rest !== "";) {
    const read = CALL_FORMS.map(([form, read]) => {
      const match = form.exec(rest);
      const found = match && read(match.groups ?? {});
      return found ? { found, rest: rest.slice(match[0].length) } : undefined;
    }).find((one) => one !== undefined);
    if (read === undefined) return undefined;
    calls.push(...read.found);
    rest = read.rest.replace(CALL_WRAPPERS, "");
  }
  return calls;
}

function parseJsonCalls(json = ""): TextToolCall[] | undefined {
  const list = tryJson(json);
  if (!Array.isArray(list)) return undefined;
  const calls = list.map((call): TextToolCall | undefined => {
    if (!isObject(call) || typeof call.name !== "string") return undefined;
    const given = call.arguments ?? call.parameters ?? {};
    const input = typeof given === "string" ? tryJson(given) : given;
    return isObject(input) ? { name: call.name, input: JSON.stringify(input) } : undefined;
  });
  return calls.every((call) => call !== undefined) ? calls : undefined;
}

/** Parses arguments that are separate elements. Values stay text, because only the tool's schema has their types. */
function parseArgumentPairs(name = "", body = "", form: RegExp): TextToolCall[] | undefined {
  const members = [...body.matchAll(form)].map(({ groups }) => [groups?.key ?? "", groups?.value ?? ""]);
  const rest = body.replace(form, "").trim();
  return rest === "" ? [{ name, input: JSON.stringify(Object.fromEntries(members)) }] : undefined;
}
