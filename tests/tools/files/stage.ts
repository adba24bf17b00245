import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ToolContent } from "../../../tools/call.ts";
import { ToolError } from "../../../tools/errors.ts";
import { createFiles, type Files } from "../../../tools/host/files.ts";
import type { FilePolicy } from "../../../tools/policy/files.ts";
import type { Session } from "../../../tools/session.ts";
import type { Host, Tool } from "../../../tools/tool.ts";
import { NO_SHELL, NO_WEB } from "../../kit/no_host.ts";

/** What a file tool is tried on: a workspace, and beside it what must stay as it is. */
export interface Stage {
  /** The workspace. */
  root: string;
  /** A folder beside it that nothing may read or write. */
  outside: string;
  session: Session;
  files: Files;
  /** Puts files into the workspace. */
  put(files: Record<string, string | Uint8Array>): void;
  /** Reads a file of the workspace, by the system. */
  get(path: string): string;
  /** Runs a tool, and gives its text; blocks that are no text are shown by their type. */
  run(tool: Tool, input: unknown): Promise<string>;
  content(tool: Tool, input: unknown): Promise<ToolContent[]>;
  /** Runs a tool that must fail, and gives what it says. */
  fail(tool: Tool, input: unknown): Promise<string>;
  /** Makes sure that the outside is what it was. */
  checkOutside(): void;
  remove(): void;
}

/** What is written in a file that nobody may read. */
export const SECRET = "SECRET-of-the-outside";

export interface StageOptions extends Partial<Omit<FilePolicy, "root">> {
  descriptors?: boolean;
  signal?: AbortSignal;
}

/** Builds a stage in a temporary folder. */
export function createStage(
  { descriptors = true, signal = new AbortController().signal, ...policy }: StageOptions = {},
): Stage {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "stage-")));
  const root = join(base, "ws");
  const outside = join(base, "outside");
  for (const folder of [root, outside, join(base, "ws-evil"), join(outside, "inner")]) mkdirSync(folder);
  for (const path of ["outside/secret", "outside/inner/secret", "ws-evil/secret", "secret"]) {
    writeFileSync(join(base, path), SECRET);
  }
  const before = take(base, "ws");
  const session: Session = { seen: new Map(), todos: [] };
  const files = createFiles({ root, write: true, ...policy }, { descriptors })({ signal });
  const host: Host = { signal, session, files, shell: NO_SHELL, web: NO_WEB, models: NO_MODELS };
  const stage: Stage = {
    root,
    outside,
    session,
    files,
    put(entries) {
      for (const [path, content] of Object.entries(entries)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
    },
    get: (path) => readFileSync(join(root, path), "utf8"),
    content: (tool, input) => tool.run(input, host),
    async run(tool, input) {
      const content = await tool.run(input, host);
      return content.map((block) => block.type === "text" ? block.text : `[${block.type}]`).join("\n");
    },
    async fail(tool, input) {
      try {
        const text = await stage.run(tool, input);
        return assert.fail(`did not fail: ${text.slice(0, 200)}`);
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        assert.doesNotMatch(error.message, new RegExp(`${base}(?!/ws/)|E[A-Z]{4,}:| at .*\\.ts`));
        return error.message;
      }
    },
    checkOutside: () => assert.deepEqual(take(base, "ws"), before),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
  return stage;
}

const NO_MODELS: Host["models"] = {
  complete: () => Promise.reject(new Error("no model is asked for files")),
  converse: () => Promise.reject(new Error("no model is asked for files")),
  search: () => Promise.reject(new Error("no model is asked for files")),
};

/** All that is in a tree, but for one folder. */
function take(folder: string, without?: string): [path: string, what: string][] {
  return readdirSync(folder).filter((name) => name !== without).sort().flatMap((name) => {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const what = String(stat.mode);
    return stat.isDirectory()
      ? [[path, what], ...take(path)]
      : [[path, `${what} ${readFileSync(path, "utf8")}`]];
  });
}
