import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolError } from "../errors.ts";
import { codeFolders } from "./code_folders.ts";
import { isInside } from "./is_inside.ts";

/** Options of {@link findWorkspace}. */
export interface WorkspaceOptions {
  /** True if tools can change files of the workspace. */
  writable: boolean;
  /** Folders with the gateway's state, by the setting that names them. */
  stateFolders?: Readonly<Record<string, string | undefined>>;
  /** File with the commands of the MCP servers. Default: none. */
  mcpConfig?: string | undefined;
}

/**
 * Returns the absolute path of the workspace with symbolic links resolved.
 *
 * @throws {ToolError} if there is no such folder, it is the root of the file system, or tools could reach the gateway's
 * state, change its code, or change the commands of its MCP servers.
 */
export async function findWorkspace(
  path: string,
  { writable, stateFolders = {}, mcpConfig }: WorkspaceOptions,
): Promise<string> {
  const workspaceError = (reason: string, cause?: unknown) =>
    new ToolError(`Cannot use WORKSPACE_ROOT ${JSON.stringify(path)}: ${reason}`, { cause });
  const root = await realpath(path).catch((cause) => {
    throw workspaceError("there is no such folder", cause);
  });
  if (!(await stat(root)).isDirectory()) throw workspaceError("it is not a folder");
  if (root === "/") throw workspaceError("it is the root of the file system");
  for (const [name, folder] of Object.entries(stateFolders)) {
    if (folder !== undefined && isInside(root, await resolveLinks(folder))) {
      throw workspaceError(`${name} is in it, and tools could change the gateway's state`);
    }
  }
  if (writable && mcpConfig !== undefined && await isWritableConfig(mcpConfig, root)) {
    throw workspaceError(
      "MCP_CONFIG is in it, and tools could change its commands; only .mcp.json is protected",
    );
  }
  if (writable && await containsCode(root)) {
    throw workspaceError(
      "the gateway's own code is in it; with files-write or shell in TOOLS, set it to another folder",
    );
  }
  return root;
}

/** True if a configuration is in the workspace, and not under the name that no tool writes. */
async function isWritableConfig(path: string, root: string): Promise<boolean> {
  const found = await resolveLinks(resolve(path));
  return isInside(root, found) && basename(found) !== ".mcp.json";
}

/** True if a folder contains code of the gateway, or is in a folder with such code. */
async function containsCode(root: string): Promise<boolean> {
  // Compiled, this is in `dist/chunks`.
  const folder = fileURLToPath(new URL("../../", import.meta.url));
  const code = await resolveLinks(folder.replace(/[/\\]+$/, ""));
  return isInside(root, code) || codeFolders(code).some((folder) => isInside(folder, root));
}

/** Resolves the links of a path, of which the end need not exist. On Deno without permission, returns it unchanged. */
async function resolveLinks(path: string): Promise<string> {
  const found = await realpath(path).catch(() => undefined);
  if (found !== undefined) return found;
  const parent = dirname(path);
  return parent === path ? path : join(await resolveLinks(parent), basename(path));
}
