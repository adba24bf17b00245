import type { Alias } from "../../../config/aliases.ts";
import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { type Html, join, markup } from "../../elements/html.ts";
import { count, modelName } from "../../elements/words.ts";

/** Settings of the aliases that have one of their own. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ["big", "ANTHROPIC_MODEL"],
  ["small", "ANTHROPIC_SMALL_FAST_MODEL"],
]);

/** Renders the table of aliases: the model of each, then its fallbacks in the order in which they are tried. */
export function aliasTable(
  aliases: ReadonlyMap<string, Alias>,
  { modelMap, seen }: { modelMap: ReadonlyMap<string, Alias>; seen: readonly SeenRequest[] },
): Html {
  const rows = Array.from(aliases, ([name, { fallbacks = [], ...target }]) => {
    const chain = [target, ...fallbacks].map((one) => {
      const { model, upstream } = typeof one === "string" ? { model: one, upstream: undefined } : one;
      return markup`<span>${modelName(upstream === undefined ? model : `${upstream}/${model}`)}</span>`;
    });
    const from = modelMap.has(name) ? "MODEL_MAP" : SETTINGS.get(name) ?? "MODEL_MAP";
    const requests = seen.filter(({ model }) => model === name).length;
    return markup`<tr><th scope="row" class="fit"><a href="${`.?model=${
      encodeURIComponent(name)
    }`}">${name}</a></th><td><div class="chain">${
      join(chain, markup` <span class="muted" aria-hidden="true">→</span><span class="sr">then</span> `)
    }</div></td><td class="fit over-m"><code>${from}</code></td><td class="num fit">${
      count(requests)
    }</td></tr>`;
  });
  return markup`<div class="panel scroll"><table aria-labelledby="aliases"><thead><tr><th scope="col">Alias</th><th scope="col">Model, then fallbacks</th><th scope="col" class="over-m">From</th><th scope="col" class="num">Requests</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
