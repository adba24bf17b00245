/** What to do where OpenRouter has a model, and nobody behind it who serves this request. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/support tool use/i, "ask for a model that takes tools, or send none"],
  [/tool_choice/i, "ask for a model that can be made to call a tool, or let it choose"],
  [/support image input/i, "ask for a model that takes images, or send none"],
  [/support cache control/i, 'give the model an alias with "cache_control": false in MODEL_MAP'],
  [
    /data policy|privacy|zero data retention/i,
    "the account's own settings rule out everybody who has the model",
  ],
  [
    /no (allowed )?(endpoints|providers)/i,
    "what the request asks of a provider rules out everybody who has the model",
  ],
];

/**
 * Adds to what an upstream says of a missing model what may help, where it is only this request that nobody serves.
 *
 * @example Usage
 * ```ts
 * import { withHint } from "./hints.ts";
 *
 * const said = withHint("No endpoints found that support tool use");
 * if (said !== "No endpoints found that support tool use; ask for a model that takes tools, or send none") throw new Error(said);
 * ```
 */
export function withHint(message: string): string {
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return hint === undefined ? message : `${message.replace(/[.\s]+$/, "")}; ${hint}`;
}
