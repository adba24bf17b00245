import { type JsonObject, toSortedJson } from "../base/json.ts";
import { sha256 } from "../base/hash/sha256.ts";
import { type OfferedModel, toClientSettings } from "./client_settings.ts";

/** A model that Claude Code offers, with its prices in USD per token. */
export interface PricedModel extends OfferedModel {
  price?:
    | {
      input?: number | undefined;
      output?: number | undefined;
      cacheRead?: number | undefined;
      cacheWrite?: number | undefined;
    }
    | undefined;
}

/** Managed settings as Claude Code receives them. */
export interface ManagedSettings {
  uuid: string;
  /** SHA-256 of the settings as sorted JSON, which Claude Code sends back. */
  checksum: string;
  settings: JsonObject;
}

/**
 * Returns the managed settings of Claude Code for the models of a key. The first model is that of new sessions.
 *
 * They hold nothing that Claude Code's user must approve: no hooks, no commands, no further addresses.
 * Source: measured with Claude Code 2.1.332.
 *
 * @example Usage
 * ```ts
 * import { toManagedSettings } from "./managed_settings.ts";
 *
 * const { settings } = toManagedSettings("alice", [{ id: "fast", window: 400_000 }], {});
 * if (settings.model !== "fast") throw new Error("wrong model");
 * ```
 */
export function toManagedSettings(
  key: string,
  models: readonly PricedModel[],
  defaults: DefaultModels,
): ManagedSettings {
  const { settings, variables } = toClientSettings(models, { chosen: true });
  const env = { ...variables, ...toVariables(defaults) };
  const prices = models.flatMap(({ id, price }) => toPriceRow(id, price));
  const pushed = {
    ...settings,
    ...(Object.keys(env).length > 0 && { env }),
    ...(prices.length > 0 && { modelPricing: { overrides: Object.fromEntries(prices) } }),
  };
  return { uuid: toUuid(key), checksum: `sha256:${sha256(toSortedJson(pushed))}`, settings: pushed };
}

/** Models behind Claude Code's own names; undefined where the name itself is requested. */
export interface DefaultModels {
  opus?: string | undefined;
  sonnet?: string | undefined;
  haiku?: string | undefined;
  fable?: string | undefined;
}

function toVariables(defaults: DefaultModels): JsonObject {
  return Object.fromEntries(
    Object.entries(defaults).filter(([, model]) => model !== undefined)
      .map(([name, model]) => [`ANTHROPIC_DEFAULT_${name.toUpperCase()}_MODEL`, model]),
  );
}

/**
 * Returns a row in USD per million tokens. Claude Code shows a dialog for a row that is not complete: it is left out.
 */
function toPriceRow(id: string, price: PricedModel["price"]): [id: string, row: JsonObject][] {
  const { input, output, cacheRead = input, cacheWrite = input } = price ?? {};
  if (input === undefined || output === undefined) return [];
  const row = { input, output, cacheRead, cacheWrite };
  return [[
    id,
    Object.fromEntries(Object.entries(row).map(([name, usd]) => [name, toPerMillion(usd ?? input)])),
  ]];
}

/** 0.0000004 -> 0.4, without the noise of binary fractions. */
function toPerMillion(usd: number): number {
  return Number((usd * 1_000_000).toPrecision(12));
}

/** Returns a UUID that stands for a key's name. */
function toUuid(key: string): string {
  const hex = sha256(`managed settings of ${key}`);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
    .join("-");
}
