/** Hints for models that OpenRouter lists, if none of its providers accepts the request. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/support tool use/i, "use a model that supports tools, or send none"],
  [/tool_choice/i, "use a model that supports forced tool calls, or let the model choose"],
  [/support image input/i, "use a model that supports images, or send none"],
  [/support cache control/i, 'add an alias for the model with "cache_control": false to MODEL_MAP'],
  [
    /data policy|privacy|zero data retention/i,
    "the account's privacy settings exclude all providers of the model",
  ],
  [
    /no (allowed )?(endpoints|providers)/i,
    "the request's requirements exclude all providers of the model",
  ],
];

/**
 * Appends a hint to an upstream's message about a missing model, if only this request excludes the model.
 *
 * @example Usage
 * ```ts
 * import { withHint } from "./hints.ts";
 *
 * const message = withHint("No endpoints found that support tool use");
 * const expected = "No endpoints found that support tool use; use a model that supports tools, or send none";
 * if (message !== expected) throw new Error(message);
 * ```
 */
export function withHint(message: string): string {
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return hint === undefined ? message : `${message.replace(/[.\s]+$/, "")}; ${hint}`;
}
