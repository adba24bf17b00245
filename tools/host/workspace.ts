import { realpath, stat } from "node:fs/promises";
import { ToolError } from "../errors.ts";

/**
 * Returns the absolute path of the workspace with symbolic links resolved.
 *
 * @throws {ToolError} if there is no such folder, or it is the root of the file system.
 */
export async function findWorkspace(path: string): Promise<string> {
  const root = await realpath(path).catch((cause) => {
    throw new ToolError(`Cannot use WORKSPACE_ROOT ${JSON.stringify(path)}: there is no such folder`, {
      cause,
    });
  });
  if (!(await stat(root)).isDirectory()) {
    throw new ToolError(`Cannot use WORKSPACE_ROOT ${JSON.stringify(path)}: it is not a folder`);
  }
  if (root === "/") throw new ToolError('Cannot use WORKSPACE_ROOT "/": it is the root of the file system');
  return root;
}
