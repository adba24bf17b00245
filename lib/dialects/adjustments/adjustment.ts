/**
 * A change of a request, as data: for a limit of a host or model that is known beforehand, or that an upstream's
 * refusal showed.
 */
export type Adjustment =
  /** Maximum output tokens to request: what the account can pay for. */
  | { change: "affordable_tokens"; tokens: number }
  /** Excludes a provider behind OpenRouter, which failed. */
  | { change: "exclude_provider"; provider: string }
  /** Omits earlier thinking that the upstream rejects: of another model, or changed. */
  | { change: "drop_earlier_thinking" }
  /** Omits earlier thinking because the host has no field for it. */
  | { change: "drop_reasoning_fields" }
  /** Sends reasoning with every earlier answer, even one that had none. */
  | { change: "return_reasoning" }
  /** Maximum output tokens to request: the model's limit. */
  | { change: "cap_tokens"; tokens: number }
  /** Omits a field of the body, such as `stop` or `reasoning.effort`. */
  | { change: "drop_parameter"; parameter: string }
  /** Sends a field of the body under another name. */
  | { change: "rename_parameter"; parameter: string; to: string }
  /** Omits a field of every tool, message, system block or `cache_control`. */
  | { change: "drop_field"; within: FieldOwner; field: string }
  /** Omits every `cache_control`. */
  | { change: "drop_cache_control" }
  /** Omits the header `anthropic-beta`. */
  | { change: "drop_betas" }
  /** Sends the nearest of these efforts; only in requests with tools, if `besideTools` is set. */
  | { change: "efforts"; efforts: readonly string[]; besideTools?: boolean }
  /** Omits `thinking` and the effort. */
  | { change: "drop_thinking_options" }
  /** Omits `thinking: {type: "disabled"}`: the model always thinks. */
  | { change: "always_thinks" }
  /** Sends `thinking: {type: "adaptive"}` in place of a budget, or the reverse. */
  | { change: "adaptive_thinking" }
  | { change: "budgeted_thinking" }
  /** Describes blocks of this type in words. */
  | { change: "blocks_as_text"; type: string }
  /** Sends every content as one plain text. */
  | { change: "plain_text" }
  /** Sends system messages that follow another message as the user's words; `every` includes the first. */
  | { change: "system_as_user"; every?: boolean }
  /** Merges messages of the user that follow each other, and separates tool results from the user's message. */
  | { change: "alternate_roles" }
  /** Lets the model choose whether it calls a tool. */
  | { change: "tool_choice_auto" }
  /** Maximum number of tools to offer. */
  | { change: "max_tools"; tools: number }
  /** Does not request strict schemas. */
  | { change: "drop_strict" }
  /** Omits a keyword from all JSON Schemas. */
  | { change: "drop_keyword"; keyword: string }
  /** Reduces all JSON Schemas to Gemini's subset. */
  | { change: "simple_schemas" }
  /** Enforces the answer's schema without `response_format`. */
  | { change: "drop_response_format" };

/** Parts of a body that hold objects of a kind. */
export type FieldOwner = "tools" | "messages" | "system" | "cache_control";

/** Adjustments that depend on one conversation, account or moment. They are not remembered. */
const UNREMEMBERED: ReadonlySet<Adjustment["change"]> = new Set([
  "affordable_tokens",
  "exclude_provider",
  "drop_earlier_thinking",
]);

/** True if an adjustment is useful for later requests to the same model. */
export function isRemembered({ change }: Adjustment): boolean {
  return !UNREMEMBERED.has(change);
}

/**
 * Formats an adjustment for the log.
 *
 * @example Usage
 * ```ts
 * import { toAdjustmentLabel } from "./adjustment.ts";
 *
 * const label = toAdjustmentLabel({ change: "drop_parameter", parameter: "stop" });
 * if (label !== "drop_parameter stop") throw new Error(label);
 * ```
 */
export function toAdjustmentLabel({ change, ...values }: Adjustment): string {
  return [change, ...Object.values(values).map(String)].join(" ");
}

/** True if both are the same adjustment with the same values. */
export function isSameAdjustment(one: Adjustment, other: Adjustment): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Returns the first adjustment with this change. */
export function findChange<Change extends Adjustment["change"]>(
  adjustments: readonly Adjustment[] | undefined,
  change: Change,
): Extract<Adjustment, { change: Change }> | undefined {
  return adjustments?.find((one): one is Extract<Adjustment, { change: Change }> => one.change === change);
}
