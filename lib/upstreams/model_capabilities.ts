import type { JsonObject } from "../base/json.ts";

/** What a list tells of a model. */
export interface ListedCapabilities {
  id: string;
  capabilities?: JsonObject | null | undefined;
  supported_parameters?: readonly string[] | null | undefined;
  architecture?: { input_modalities?: readonly string[] | null | undefined } | null | undefined;
  reasoning?:
    | {
      supported_efforts?: readonly string[] | null | undefined;
      mandatory?: boolean | null | undefined;
    }
    | null
    | undefined;
}

/**
 * Returns a model's capabilities in the form of Anthropic's list: as its upstream lists them, or else by the parameters
 * and inputs of OpenRouter's list. `null` if neither is listed.
 *
 * Source: https://platform.claude.com/docs/en/api/models-list
 */
export function toCapabilities(model: ListedCapabilities): JsonObject | null {
  const { id, capabilities, supported_parameters: listed, architecture, reasoning } = model;
  if (capabilities) return capabilities;
  const inputs = architecture?.input_modalities;
  if (!listed?.length && !inputs?.length) return null;
  const parameters = new Set(listed);
  const thinks = Boolean(reasoning) || THINKING_PARAMETERS.some((name) => parameters.has(name));
  const efforts = reasoning?.supported_efforts;
  const hasEfforts = thinks && (!efforts || efforts.some((effort) => EFFORTS.includes(effort)));
  // OpenRouter answers for Claude with Anthropic's own API. Other models receive chat completions.
  const isClaude = /^~?anthropic\//.test(id);
  const searches = parameters.has("tools");
  return {
    batch: support(false),
    citations: support(isClaude),
    code_execution: support(false),
    context_management: {
      supported: isClaude,
      ...Object.fromEntries(EDITS.map((edit) => [edit, support(isClaude)])),
    },
    effort: {
      supported: hasEfforts,
      ...Object.fromEntries(
        EFFORTS.map((effort) => [effort, support(hasEfforts && (!efforts || efforts.includes(effort)))]),
      ),
    },
    image_input: support(inputs?.includes("image") === true),
    pdf_input: support(inputs?.includes("file") === true),
    server_tools: { supported: searches, code_execution: support(false), web_search: support(searches) },
    structured_outputs: support(parameters.has("structured_outputs")),
    thinking: {
      supported: thinks,
      types: {
        adaptive: support(thinks),
        between_tools: support(thinks),
        disabled: support(reasoning?.mandatory !== true),
        enabled: support(thinks),
      },
    },
  };
}

const THINKING_PARAMETERS = ["reasoning", "reasoning_effort", "include_reasoning"];
const EFFORTS = ["low", "medium", "high", "xhigh", "max"];
const EDITS = ["clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112"];

function support(supported: boolean): { supported: boolean } {
  return { supported };
}
