/** What OpenAI's models of one family accept. */
export interface ModelFamily {
  /** Accepted efforts, ascending. Empty if the models do not reason. */
  efforts: readonly string[];
  /** Effort if the request has none. */
  defaultEffort: string | undefined;
  /** True if parts of a request can be marked for the cache. */
  cacheBreakpoints: boolean;
  /** True if the models mark their messages as commentary or as final answer, and require these marks back. */
  phases: boolean;
}

const reasoning = (
  efforts: string,
  defaultEffort: string,
  { cacheBreakpoints = false, phases = false }: Partial<ModelFamily> = {},
): ModelFamily => ({ efforts: efforts.split(" "), defaultEffort, cacheBreakpoints, phases });

const PLAIN: ModelFamily = { efforts: [], defaultEffort: undefined, cacheBreakpoints: false, phases: false };
const PHASES = { phases: true };

/**
 * OpenAI's model families by name; the first that matches applies.
 *
 * Sources: https://platform.openai.com/docs/models, pydantic-ai's profiles/openai.py (verified against the API in July
 * 2026), https://github.com/livekit/agents/issues/7169, https://github.com/can1357/oh-my-pi/issues/12780
 */
const FAMILIES: readonly (readonly [name: RegExp, family: ModelFamily])[] = [
  [
    /^gpt-5\.[6-9]/,
    reasoning("none low medium high xhigh max", "medium", { cacheBreakpoints: true, phases: true }),
  ],
  [/^gpt-5\.5-pro/, reasoning("medium high xhigh", "medium", PHASES)],
  [/^gpt-5\.5/, reasoning("none low medium high xhigh", "medium", PHASES)],
  [/^gpt-5\.\d+-chat/, reasoning("medium", "medium")],
  [/^gpt-5\.[2-4]-pro/, reasoning("medium high xhigh", "medium")],
  [/^gpt-5\.4|^gpt-5\.3-codex/, reasoning("none low medium high xhigh", "none", PHASES)],
  [/^gpt-5\.[23]/, reasoning("none low medium high xhigh", "none")],
  [/^gpt-5\.1-codex-max/, reasoning("low medium high xhigh", "medium")],
  [/^gpt-5\.1-codex/, reasoning("low medium high", "medium")],
  [/^gpt-5\.1/, reasoning("none low medium high", "none")],
  [/^gpt-5-chat/, PLAIN],
  [/^gpt-5-pro/, reasoning("high", "high")],
  [/^gpt-5-codex/, reasoning("low medium high", "medium")],
  [/^gpt-5(-|$)/, reasoning("minimal low medium high", "medium")],
  [/^gpt-oss/, reasoning("low medium high", "medium")],
  [/^(o[134]|codex-mini)(-|$)/, reasoning("low medium high", "medium")],
  [/^(gpt-(3|4)|chatgpt-)/, PLAIN],
];

/**
 * Returns the family of a model by its name at any host; `undefined` if it is none of OpenAI's.
 *
 * @example Usage
 * ```ts
 * import { findFamily } from "./model_families.ts";
 *
 * const family = findFamily("openai/gpt-5.6-sol");
 * if (!family?.efforts.includes("max") || family.efforts.includes("minimal")) throw new Error("unexpected efforts");
 * ```
 */
export function findFamily(model: string): ModelFamily | undefined {
  const name = /(?:^|[/.])((?:gpt|chatgpt|codex|o\d).*)$/.exec(model)?.[1] ?? "";
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1];
}
