import { createBash } from "./bash.ts";
import type { Group } from "./call.ts";
import { edit } from "./edit.ts";
import { glob } from "./glob.ts";
import { grep } from "./grep.ts";
import { createHost } from "./host.ts";
import { findWorkspace } from "./host/workspace.ts";
import { ls } from "./ls.ts";
import { multiEdit } from "./multi_edit.ts";
import { notebookEdit } from "./notebook_edit.ts";
import { notebookRead } from "./notebook_read.ts";
import type { Policy } from "./policy.ts";
import { SHELL_LIMITS, SHELL_PATH, type ShellPolicy } from "./policy/shell.ts";
import { WEB_LIMITS, type WebPolicy } from "./policy/web.ts";
import { read } from "./read.ts";
import { task } from "./task.ts";
import { todoRead } from "./todo_read.ts";
import { todoWrite } from "./todo_write.ts";
import type { Tool } from "./tool.ts";
import { createToolbox, type Toolbox, type ToolboxOptions } from "./toolbox.ts";
import { webFetch } from "./web_fetch.ts";
import { webSearch } from "./web_search.ts";
import { write } from "./write.ts";

/** What the owner says of the tools that the gateway runs. */
export interface ToolsOptions extends Pick<ToolboxOptions, "limits" | "clock" | "audit"> {
  /** The path of the workspace, links and all. */
  root: string;
  groups: ReadonlySet<Group>;
  shell: Pick<ShellPolicy, "sandbox" | "network">;
  web: Pick<WebPolicy, "allowHosts" | "search">;
}

/**
 * Creates the tools that are switched on, for one workspace.
 *
 * @throws {ToolError} if the workspace cannot be used.
 */
export async function createTools(
  { root: path, groups, shell, web, ...options }: ToolsOptions,
): Promise<Toolbox> {
  const { timeout } = options.limits;
  const root = await findWorkspace(path);
  // A command or a page that takes too long says so itself, with what it had so far, right before the toolbox would.
  const most = Math.max(timeout - LAST_WORDS, timeout / 2);
  const seconds = most / 1000;
  const policy: Policy = {
    groups,
    files: { root, write: groups.has("files-write") },
    shell: {
      ...shell,
      root,
      readable: [],
      path: SHELL_PATH,
      environment: {},
      limits: { ...SHELL_LIMITS, seconds, maxSeconds: seconds },
    },
    web: { ...web, limits: { ...WEB_LIMITS, time: Math.min(WEB_LIMITS.time, most) } },
  };
  const tools = toCatalogue(policy).filter(({ group }) => group === undefined || groups.has(group));
  return createToolbox({ ...options, tools, toHost: createHost(policy, options.clock) });
}

/** Milliseconds. */
const LAST_WORDS = 1000;

/** The catalogue: one line a tool. */
function toCatalogue(policy: Policy): Tool[] {
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
