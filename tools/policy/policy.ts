import type { ToolGroup } from "../call.ts";
import type { FilePolicy } from "./files.ts";
import type { ShellPolicy } from "./shell.ts";
import type { WebPolicy } from "./web.ts";

/** Permissions that the operator grants to tools. No tool input can widen them. */
export interface Policy {
  /** Enabled tool groups. */
  readonly groups: ReadonlySet<ToolGroup>;
  readonly files: FilePolicy;
  readonly shell: ShellPolicy;
  readonly web: WebPolicy;
}
