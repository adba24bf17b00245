import { join, sep } from "node:path";

/** Folders of the gateway's own folder that contain code. A workspace beside them is fine. */
const OWN_FOLDERS = ["lib", "tools", "build", "dist", "node_modules"];

/**
 * Returns the folders with the code that runs as the gateway, whose own folder is `installed`. If that is an installed
 * package, they are all packages that are installed with it.
 *
 * @example Usage
 * ```ts
 * import { codeFolders } from "./code_folders.ts";
 *
 * const [folder] = codeFolders("/app/node_modules/openrouter-anthropic-server");
 * if (folder !== "/app/node_modules") throw new Error(folder);
 * ```
 */
export function codeFolders(installed: string): string[] {
  const parts = installed.split(sep);
  const at = parts.indexOf("node_modules");
  return at < 0 ? OWN_FOLDERS.map((name) => join(installed, name)) : [parts.slice(0, at + 1).join(sep)];
}
