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
import { after } from "node:test";
import type { ToolContent } from "../../../tools/call.ts";
import { ToolError } from "../../../tools/errors.ts";
import { createFiles, type Files } from "../../../tools/host/files.ts";
import type { FilePolicy } from "../../../tools/policy/files.ts";
import type { Session } from "../../../tools/session.ts";
import type { Host, Tool } from "../../../tools/tool.ts";
import { NO_SHELL, NO_WEB } from "../../kit/no_host.ts";

/** A workspace for file tools, beside a folder that they must not access. */
export interface TestWorkspace {
  /** The path of the workspace. */
  root: string;
  /** The folder that no tool may access. */
  outside: string;
  session: Session;
  files: Files;
  /** Writes files to the workspace. */
  put(files: Record<string, string | Uint8Array>): void;
  /** Reads a file of the workspace without a tool. */
  get(path: string): string;
  /** Runs a tool and returns its text; other blocks are shown by their type. */
  run(tool: Tool, input: unknown): Promise<string>;
  content(tool: Tool, input: unknown): Promise<ToolContent[]>;
  /** Runs a tool that must fail, and returns the message. */
  fail(tool: Tool, input: unknown): Promise<string>;
  /** Checks that nothing outside the workspace has changed. */
  checkOutside(): void;
  remove(): void;
}

/** The content of the files outside the workspace. */
export const SECRET = "SECRET-of-the-outside";

export interface WorkspaceOptions extends Partial<Omit<FilePolicy, "root">> {
  descriptors?: boolean;
  signal?: AbortSignal;
}

/**
 * Returns a function that creates workspaces in temporary folders, and removes them after the tests of the file. It
 * must be called outside of tests.
 */
export function useWorkspaces(): (options?: WorkspaceOptions) => TestWorkspace {
  const made: TestWorkspace[] = [];
  after(() => made.forEach((workspace) => workspace.remove()));
  return (options) => {
    const workspace = createWorkspace(options);
    made.push(workspace);
    return workspace;
  };
}

function createWorkspace(
  { descriptors = true, signal = new AbortController().signal, ...policy }: WorkspaceOptions = {},
): TestWorkspace {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "workspace-")));
  const root = join(base, "ws");
  const outside = join(base, "outside");
  for (const folder of [root, outside, join(base, "ws-evil"), join(outside, "inner")]) mkdirSync(folder);
  for (const path of ["outside/secret", "outside/inner/secret", "ws-evil/secret", "secret"]) {
    writeFileSync(join(base, path), SECRET);
  }
  const before = snapshot(base, "ws");
  const session: Session = { seen: new Map(), todos: [] };
  const files = createFiles({ root, write: true, ...policy }, { descriptors })({ signal });
  const host: Host = { signal, session, files, shell: NO_SHELL, web: NO_WEB, models: NO_MODELS };
  const workspace: TestWorkspace = {
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
        const text = await workspace.run(tool, input);
        return assert.fail(`did not fail: ${text.slice(0, 200)}`);
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        assert.doesNotMatch(error.message, new RegExp(`${base}(?!/ws/)|E[A-Z]{4,}:| at .*\\.ts`));
        return error.message;
      }
    },
    checkOutside: () => assert.deepEqual(snapshot(base, "ws"), before),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
  return workspace;
}

const NO_MODELS: Host["models"] = {
  complete: () => Promise.reject(new Error("file tools use no model")),
  runSubagent: () => Promise.reject(new Error("file tools use no model")),
  search: () => Promise.reject(new Error("file tools use no model")),
};

/** Lists the files of a tree with mode and content, except one folder. */
function snapshot(folder: string, without?: string): [path: string, what: string][] {
  return readdirSync(folder).filter((name) => name !== without).sort().flatMap((name) => {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const what = String(stat.mode);
    return stat.isDirectory()
      ? [[path, what], ...snapshot(path)]
      : [[path, `${what} ${readFileSync(path, "utf8")}`]];
  });
}
