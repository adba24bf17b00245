import { isObject, tryJson } from "../../../base/json.ts";

/** A call that a model has said in its text instead of making it. */
export interface TextToolCall {
  name: string;
  /** The arguments, as JSON. */
  input: string;
}

/**
 * Finds the calls of tools that a model says at the end of its text, in the form that it was trained on and its host
 * should have understood.
 *
 * Only what is nothing but calls, from the beginning of a line to the end of the text, and of tools that the request
 * offers, is taken for calls. All else is text, and said as it came. The text may be cut anywhere.
 *
 * @example Usage
 * ```ts
 * import { TextToolCalls } from "./text_tool_calls.ts";
 *
 * const spoken = new TextToolCalls(new Set(["read"]));
 * const text = spoken.push("I look.\n<tool") + spoken.push('_call>{"name":"read","arguments":{"path":"a"}}</tool_call>');
 * const { calls } = spoken.end();
 * if (text !== "I look.\n" || calls[0]?.input !== '{"path":"a"}') throw new Error(text);
 * ```
 */
export class TextToolCalls {
  readonly #offered: ReadonlySet<string>;
  /** What may be a call, or the beginning of one. */
  #held = "";
  /** Whether what is held begins as a call does. */
  #inCall = false;
  /** Whether nothing but space stands before it on its line. */
  #atLineStart = true;

  /** Takes the names of the tools that may be called. */
  constructor(offered: ReadonlySet<string>) {
    this.#offered = offered;
  }

  /** Takes a piece of the text and gives what may be said now. */
  push(piece: string): string {
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
        break; // it may still become one
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

  /** Takes the end of a text, cut or `complete`: gives the calls that it ends with, or what was held back, which is text. */
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

/** How calls begin: as Qwen, GLM, Mistral, Kimi, MiniMax and imitators of Claude say them. */
const CALL_OPENINGS = [
  "<tool_call>",
  "<function=",
  "<function_calls>",
  "<minimax:tool_call>",
  "<invoke name=",
  "[TOOL_CALLS]",
  "<|tool_calls_section_begin|>",
];

/** What stands around calls and between them. */
const CALL_WRAPPERS = /^(\s|<\/?(function_calls|minimax:tool_call)>|<\|tool_calls_section_(begin|end)\|>)+/;

/** The forms of a call, each with what is read of it. */
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

/** Reads a text that is nothing but calls; `undefined` where it is more, or less. */
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

/** Arguments said one by one are text; the tool's schema tells what they mean. */
function parseArgumentPairs(name = "", body = "", form: RegExp): TextToolCall[] | undefined {
  const members = [...body.matchAll(form)].map(({ groups }) => [groups?.key ?? "", groups?.value ?? ""]);
  const rest = body.replace(form, "").trim();
  return rest === "" ? [{ name, input: JSON.stringify(Object.fromEntries(members)) }] : undefined;
}
