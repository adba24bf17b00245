import type { SettingText } from "../../../config/describe.ts";
import { ACCESS_SETTINGS } from "../../../config/settings/access_settings.ts";
import { DATA_SETTINGS } from "../../../config/settings/data_settings.ts";
import { LOG_SETTINGS } from "../../../config/settings/log_settings.ts";
import { MCP_SETTINGS } from "../../../config/settings/mcp_settings.ts";
import { TIMEOUT_SETTINGS } from "../../../config/settings/timeout_settings.ts";
import { TOOL_SETTINGS } from "../../../config/settings/tool_settings.ts";

/** Settings of one topic. */
export interface SettingGroup {
  name: string;
  settings: readonly SettingText[];
}

const TRANSLATION = "Upstreams and models";

/** Names of settings by topic. Those that are in no other group are about upstreams and models. */
const GROUPS: readonly (readonly [name: string, settings: readonly string[]])[] = [
  ["Access", ["PORT", "HOST", ...Object.keys(ACCESS_SETTINGS)]],
  [TRANSLATION, []],
  ["Limits and state", [
    "LIMITS",
    "BODY_MEMORY",
    "RATE_LIMIT_STORE",
    "STATE_DIR",
    ...Object.keys(DATA_SETTINGS),
  ]],
  ["Times and retries", Object.keys(TIMEOUT_SETTINGS)],
  ["Tools and servers", [...Object.keys(TOOL_SETTINGS), ...Object.keys(MCP_SETTINGS)]],
  ["Logs", [...Object.keys(LOG_SETTINGS), "ENVIRONMENT"]],
];

/** Returns settings by topic, without topics that have none. */
export function groupSettings(settings: readonly SettingText[]): SettingGroup[] {
  const named = new Set(GROUPS.flatMap(([, names]) => names));
  return GROUPS.map(([name, names]) => ({
    name,
    settings: settings.filter((setting) =>
      name === TRANSLATION ? !named.has(setting.name) : names.includes(setting.name)
    ),
  })).filter((group) => group.settings.length > 0);
}
