import { createBash } from "./shell/bash.ts";
import type { ToolGroup } from "./call.ts";
import type { Clock } from "./clock.ts";
import { edit } from "./files/edit.ts";
import { glob } from "./files/glob.ts";
import { grep } from "./files/grep.ts";
import { createHost } from "./create_host.ts";
import { findWorkspace } from "./host/workspace.ts";
import { ls } from "./files/ls.ts";
import { multiEdit } from "./files/multi_edit.ts";
import { notebookEdit } from "./files/notebook_edit.ts";
import { notebookRead } from "./files/notebook_read.ts";
import type { Policy } from "./policy/policy.ts";
import { SHELL_LIMITS, SHELL_PATH, type ShellPolicy } from "./policy/shell.ts";
import { WEB_LIMITS, type WebPolicy } from "./policy/web.ts";
import { read } from "./files/read.ts";
import { task } from "./planning/task.ts";
import { todoRead } from "./planning/todo_read.ts";
import { todoWrite } from "./planning/todo_write.ts";
import type { Tool } from "./tool.ts";
import { createToolbox, type Toolbox, type ToolboxOptions } from "./toolbox/toolbox.ts";
import { webFetch } from "./web/web_fetch.ts";
import { webSearch } from "./web/web_search.ts";
import { write } from "./files/write.ts";

/** The operator's options for the tools that the gateway runs. */
export interface ToolsOptions extends Pick<ToolboxOptions, "runner" | "warn"> {
  clock: Clock;
  /** Path of the workspace. It may lead through symbolic links. */
  root: string;
  /** Folders with the gateway's state, by the setting that names them. They must not be in the workspace. */
  stateFolders?: Readonly<Record<string, string | undefined>>;
  /** File with the commands of the MCP servers, which tools must not change. */
  mcpConfig?: string | undefined;
  groups: ReadonlySet<ToolGroup>;
  shell: Pick<ShellPolicy, "sandbox" | "network">;
  web: Pick<WebPolicy, "allowHosts" | "search">;
}

/**
 * Creates a toolbox of the enabled tools for one workspace.
 *
 * @throws {ToolError} if the workspace cannot be used.
 */
export async function createTools(
  { root: path, stateFolders = {}, mcpConfig, groups, shell, web, clock, ...options }: ToolsOptions,
): Promise<Toolbox> {
  const { timeoutMs } = options.runner.limits;
  const root = await findWorkspace(path, {
    writable: groups.has("files-write") || groups.has("shell"),
    stateFolders,
    mcpConfig,
  });
  // Commands and pages time out shortly before their call does. A command's error then includes its partial output.
  const maxCallMs = Math.max(timeoutMs - TIMEOUT_MARGIN_MS, timeoutMs / 2);
  const policy: Policy = {
    groups,
    files: { root, write: groups.has("files-write") },
    shell: { ...shell, root, path: SHELL_PATH, limits: { ...SHELL_LIMITS, seconds: maxCallMs / 1000 } },
    web: { ...web, limits: { ...WEB_LIMITS, timeoutMs: Math.min(WEB_LIMITS.timeoutMs, maxCallMs) } },
  };
  const tools = createCatalogue(policy).filter(({ group }) => group === undefined || groups.has(group));
  return createToolbox({ tools, hostFor: createHost(policy, clock), ...options });
}

/** Margin between the timeout of a command or page and the timeout of its call. */
const TIMEOUT_MARGIN_MS = 1000;

/** Returns all tools, in the order in which models see them. */
function createCatalogue(policy: Policy): Tool[] {
  return [
    write,
    read,
    edit,
    multiEdit,
    glob,
    grep,
    ls,
    createBash(policy.shell),
    task,
    webSearch,
    webFetch,
    notebookRead,
    notebookEdit,
    todoRead,
    todoWrite,
  ];
}
