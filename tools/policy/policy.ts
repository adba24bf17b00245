import type { ToolGroup } from "../call.ts";
import type { FilePolicy } from "./files.ts";
import type { ShellPolicy } from "./shell.ts";
import type { WebPolicy } from "./web.ts";

/** What the owner allows tools to touch; nothing that a model says can widen it. */
export interface Policy {
  /** The groups of tools that are on. */
  readonly groups: ReadonlySet<ToolGroup>;
  readonly files: FilePolicy;
  readonly shell: ShellPolicy;
  readonly web: WebPolicy;
}
