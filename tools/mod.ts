import type { Group } from "./call.ts";
import { createHost } from "./host.ts";
import { openWorkspace } from "./host/workspace.ts";
import type { Policy } from "./policy.ts";
import { SHELL_LIMITS, SHELL_PATH, type ShellPolicy } from "./policy/shell.ts";
import { WEB_LIMITS, type WebPolicy } from "./policy/web.ts";
import { createToolbox, type Toolbox, type ToolboxOptions } from "./toolbox.ts";
