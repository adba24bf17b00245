import { isAbsolute, relative, sep } from "node:path";

/** True if a path is a folder or below it. Links are not resolved. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
