import { ToolError } from "./call.ts";
import type { Session } from "./session.ts";

/**
 * Makes sure that a model knows what it is about to change: it has seen the file, and the file is still what it
 * was then.
 *
 * @throws {ToolError} if not, with what to do.
 */
export function checkSeen(session: Session, { path, version }: { path: string; version: string }): void {
  const seen = session.seen.get(path);
  if (seen === undefined) {
    throw new ToolError(`Cannot change "${path}": it has not been read yet; read it first`);
  }
  if (seen !== version) {
    throw new ToolError(`Cannot change "${path}": it has changed since it was read; read it again first`);
  }
}
