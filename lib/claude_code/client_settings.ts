import type { JsonObject } from "../base/json.ts";

/** A model that Claude Code offers. */
export interface OfferedModel {
  /** Name for requests. */
  id: string;
  /** The model behind the name, if that is an alias. */
  model?: string | undefined;
  label?: string | undefined;
  description?: string | undefined;
  /** Context window in tokens; undefined if it is unknown. */
  window?: number | undefined;
}

/** What Claude Code is told of the models: a settings file for `--settings`, and variables. */
export interface ClientSettings {
  settings: JsonObject;
  variables: Readonly<Record<string, string>>;
}

/**
 * Returns the settings of Claude Code for models of a gateway. The first model is that of new sessions, if `chosen`.
 *
 * Claude Code assumes a window of a million tokens for a name that it does not know, and warns. `behavesAs` gives such
 * a model the window, output size, effort levels and form of thinking of a Claude model. No Claude model has a window
 * below 200,000 tokens: the smallest such window is set by a variable, for all models without `behavesAs`.
 * Source: measured with Claude Code 2.1.330 and 2.1.332.
 *
 * @example Usage
 * ```ts
 * import { toClientSettings } from "./client_settings.ts";
 *
 * const { variables } = toClientSettings([{ id: "local/llama", window: 32_768 }], { chosen: true });
 * if (variables.CLAUDE_CODE_MAX_CONTEXT_TOKENS !== "32768") throw new Error("wrong window");
 * ```
 */
export function toClientSettings(
  models: readonly OfferedModel[],
  { chosen }: { chosen: boolean },
): ClientSettings {
  const options = models.map(({ id, model = id, label, description, window }) => {
    const behavesAs = similarClaude(model, window);
    return {
      model: id,
      ...(label !== undefined && { label }),
      ...(description !== undefined && { description }),
      ...(behavesAs !== undefined && { behavesAs }),
    };
  });
  const small = models.flatMap(({ id, model = id, window }) =>
    window !== undefined && similarClaude(model, window) === undefined ? [window] : []
  );
  const [first] = models;
  return {
    settings: {
      ...(chosen && first !== undefined && { model: first.id }),
      ...(options.length > 0 && { modelPicker: { options, ...(chosen && { replaceBuiltInOptions: true }) } }),
    },
    variables: small.length === 0 ? {} : { CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(Math.min(...small)) },
  };
}

/** Returns the Claude model that Claude Code treats a model as; undefined if none has so small a window. */
function similarClaude(model: string, window: number | undefined): string | undefined {
  const [claude] = /\bclaude-[\w.-]+/.exec(model) ?? [];
  if (claude !== undefined && !model.includes("claude-gw-")) return claude.replaceAll(".", "-");
  if (window === undefined) return CLAUDE_200K;
  return window >= 1_000_000 ? CLAUDE_1M : window >= 200_000 ? CLAUDE_200K : undefined;
}

const CLAUDE_200K = "claude-sonnet-4-6";
const CLAUDE_1M = "claude-sonnet-5-5";

/** Variables that would lead Claude Code elsewhere, or add another key. */
export const CLEARED_VARIABLES: readonly string[] = [
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_GATEWAY",
  "CLAUDE_CODE_USE_VERTEX",
];
