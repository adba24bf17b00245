import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";
import { fnv } from "../../base/hash/fnv.ts";
import { findMeantName } from "./meant_name.ts";
import { offerTools } from "./offer_tools.ts";

/** Function names that every host accepts. Source: https://platform.openai.com/docs/api-reference/chat/create */
const LEGAL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_NAME_CHARS = 64;

/**
 * Maps tool names to names that every host accepts, and back.
 *
 * A name that a host would reject is replaced. The new name is the old one, cut and with `_` for illegal characters,
 * and a hash of the whole name. It depends only on the request. So the gateway keeps no state, and a tool has the same
 * name in every turn.
 *
 * @example Usage
 * ```ts
 * import { ToolNames } from "./tool_names.ts";
 *
 * const names = new ToolNames(["clock", "mcp__files__read me"]);
 * if (names.toUpstream("clock") !== "clock") throw new Error("a legal name was changed");
 * const short = names.toUpstream("mcp__files__read me");
 * if (!/^mcp__files__read_me_[0-9a-f]{8}$/.test(short)) throw new Error(short);
 * if (names.toClient(short) !== "mcp__files__read me") throw new Error("the name is lost");
 * ```
 */
export class ToolNames {
  readonly #upstream = new Map<string, string>();
  readonly #client = new Map<string, string>();

  readonly #offered: ReadonlySet<string>;

  /** `names` has all names of a request, `offered` those of its tools. */
  constructor(names: Iterable<string>, offered?: Iterable<string>) {
    const all = new Set(names);
    this.#offered = offered === undefined ? all : new Set(offered);
    for (const name of all) {
      if (LEGAL_NAME.test(name)) continue;
      const short = shorten(name, (taken) => all.has(taken) || this.#client.has(taken));
      this.#upstream.set(name, short);
      this.#client.set(short, name);
    }
  }

  /** True if this is the upstream's name of an offered tool. */
  offers(name: string): boolean {
    return this.#offered.has(this.#client.get(name) ?? name);
  }

  /** True if the upstream's name of an offered tool begins with this one and is longer. */
  continues(name: string): boolean {
    return [...this.#offered].some((one) => {
      const upstream = this.toUpstream(one);
      return upstream !== name && upstream.startsWith(name);
    });
  }

  /** Returns the upstream's name of a tool. */
  toUpstream(name: string): string {
    return this.#upstream.get(name) ?? name;
  }

  /** Returns the upstream's name of a tool. Reports a loss if it differs from the client's. */
  rename(name: string, path: () => string, loss: LossReport): string {
    const upstreamName = this.toUpstream(name);
    if (upstreamName !== name) loss.add(path(), "renamed");
    return upstreamName;
  }

  /**
   * Returns the client's name of a tool that the model called. A name that is not offered is mapped to the only offered
   * one that it can mean, or else returned unchanged.
   */
  toClient(name: string): string {
    const exact = this.#client.get(name) ?? name;
    if (this.#offered.has(exact)) return exact;
    const meant = findMeantName(name, [...this.#offered, ...this.#client.keys()]);
    return meant === undefined ? exact : this.#client.get(meant) ?? meant;
  }
}

/** Collects all tool names of a request that the model will see: of tools, the tool choice and earlier calls. */
export function collectToolNames(request: MessagesRequest): ToolNames {
  const { tools, tool_choice: choice, messages } = request;
  const offered = tools ? offerTools(request).flatMap(({ tool }) => tool ? [tool.name] : []) : [];
  const names = new Set(offered);
  if (choice?.type === "tool") names.add(choice.name);
  for (let at = 0; at < messages.length; at++) {
    const content = messages[at]?.content;
    if (typeof content !== "object") continue;
    for (let nth = 0; nth < content.length; nth++) {
      const block = content[nth];
      if (block?.type === "tool_use") names.add(block.name);
    }
  }
  return names.size === 0 ? NO_NAMES : new ToolNames(names, offered);
}

/** The names of a request without tools and calls. */
const NO_NAMES = new ToolNames([]);

function shorten(name: string, isTaken: (short: string) => boolean): string {
  const readable = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  for (let salt = "";; salt += "_") {
    const hash = fnv(name + salt).toString(16).padStart(8, "0");
    const short = `${readable.slice(0, MAX_NAME_CHARS - hash.length - 1)}_${hash}`;
    if (!isTaken(short)) return short;
  }
}
