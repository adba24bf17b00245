import { realpath, stat } from "node:fs/promises";
import { ToolError } from "../errors.ts";

/**
 * Finds the workspace: the folder itself, whatever links lead to it.
 *
 * @throws {ToolError} if there is no such folder, or it is the whole machine.
 */
export async function findWorkspace(path: string): Promise<string> {
  const root = await realpath(path).catch((cause) => {
    throw new ToolError(`Cannot use WORKSPACE_ROOT ${JSON.stringify(path)}: there is no such folder`, {
      cause,
    });
  });
  if (!(await stat(root)).isDirectory()) {
    throw new ToolError(`Cannot use WORKSPACE_ROOT ${JSON.stringify(path)}: it is no folder`);
  }
  if (root === "/") throw new ToolError('Cannot use WORKSPACE_ROOT "/": it is the whole machine');
  return root;
}
