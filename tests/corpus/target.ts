import type { HostName } from "../../lib/config/presets.ts";
import type { NamedUpstream } from "../../lib/config/upstreams.ts";
import type { Settings } from "../../lib/config/settings.ts";
import type { Recording } from "./corpus.ts";

/** The presets of hosts of the Responses API. */
const PRESETS: readonly (readonly [host: RegExp, preset: HostName])[] = [
  [/openai\.com$|githubcopilot|chatgpt|bedrock/, "openai"],
  [/azure/, "azure"],
  [/openrouter/, "openrouter"],
  [/x\.ai$/, "xai"],
  [/deepseek/, "deepseek"],
];

/** Returns the model of the request, and the settings with which the gateway reads a recording in its API. */
export function toTarget({ kind, host, model }: Recording): { model: string; settings: Settings } {
  switch (kind) {
    case "anthropic.messages":
      // Claude's thinking passes unchanged, that of others is sealed.
      return { model: "anthropic/claude-recorded", settings: { UPSTREAM_DIALECT: "anthropic" } };
    case "openai.responses": {
      const preset = PRESETS.find(([pattern]) => pattern.test(host))?.[1] ?? "other";
      const upstream: NamedUpstream = {
        url: "https://recorded.test/v1",
        key: "sk-test",
        preset,
        dialect: "responses",
      };
      return { model: `recorded/${model || "model"}`, settings: { UPSTREAMS: { recorded: upstream } } };
    }
    default:
      return { model: "recorded/model", settings: { UPSTREAM_DIALECT: "openai" } };
  }
}
