import type { Group } from "./call.ts";
import type { FilePolicy } from "./policy/files.ts";
import type { ShellPolicy } from "./policy/shell.ts";
import type { WebPolicy } from "./policy/web.ts";

/** What the owner allows tools to touch; nothing that a model says can widen it. */
export interface Policy {
  /** The groups of tools that are on. */
  readonly groups: ReadonlySet<Group>;
  readonly files: FilePolicy;
  readonly shell: ShellPolicy;
  readonly web: WebPolicy;
}
