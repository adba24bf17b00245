import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";
import { fnv } from "../fnv.ts";
import { offerTools } from "./offer_tools.ts";

/** What every host takes as a function's name. Source: https://platform.openai.com/docs/api-reference/chat/create */
const LEGAL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_NAME_CHARS = 64;

/**
 * The tools' names at the upstream: those that a host would refuse are shortened, and found again in the answer.
 *
 * A short name is what fits of the long one, and a hash of all of it. It follows from the request alone, so nothing
 * has to be remembered, and the same tool is called the same in every turn.
 *
 * @example Usage
 * ```ts
 * import { ToolNames } from "./tool_names.ts";
 *
 * const names = new ToolNames(["clock", "mcp__files__read me"]);
 * if (names.toUpstream("clock") !== "clock") throw new Error("a legal name is changed");
 * const short = names.toUpstream("mcp__files__read me");
 * if (!/^mcp__files__read_me_[0-9a-f]{8}$/.test(short)) throw new Error(short);
 * if (names.toClient(short) !== "mcp__files__read me") throw new Error("the name is lost");
 * ```
 */
export class ToolNames {
  readonly #upstream = new Map<string, string>();
  readonly #client = new Map<string, string>();

  constructor(names: Iterable<string>) {
    const all = new Set(names);
    for (const name of all) {
      if (LEGAL_NAME.test(name)) continue;
      const short = shorten(name, (taken) => all.has(taken) || this.#client.has(taken));
      this.#upstream.set(name, short);
      this.#client.set(short, name);
    }
  }

  /** Gives the name that the host takes. */
  toUpstream(name: string): string {
    return this.#upstream.get(name) ?? name;
  }

  /** Gives the name that the host takes, and reports where the client said another. */
  rename(name: string, path: string, loss: LossReport): string {
    const upstreamName = this.toUpstream(name);
    if (upstreamName !== name) loss.add(path, "renamed");
    return upstreamName;
  }

  /** Gives the name that the client knows. */
  toClient(name: string): string {
    return this.#client.get(name) ?? name;
  }
}

/** Gathers every tool's name that a request says where the model will see it. */
export function collectToolNames(request: MessagesRequest): ToolNames {
  const names = offerTools(request).flatMap(({ tool }) => tool ? [tool.name] : []);
  const choice = request.tool_choice;
  if (choice?.type === "tool") names.push(choice.name);
  for (const { content } of request.messages) {
    if (typeof content === "string") continue;
    for (const block of content) if (block.type === "tool_use") names.push(block.name);
  }
  return new ToolNames(names);
}

function shorten(name: string, isTaken: (short: string) => boolean): string {
  const readable = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  for (let salt = "";; salt += "_") {
    const hash = fnv(name + salt).toString(16).padStart(8, "0");
    const short = `${readable.slice(0, MAX_NAME_CHARS - hash.length - 1)}_${hash}`;
    if (!isTaken(short)) return short;
  }
}
