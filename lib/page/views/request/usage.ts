import type { SeenPrice, SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { inputPrice } from "../../../tokens/price.ts";
import { formatCost, formatExact, formatNumber, formatPrice } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { unknown } from "../../elements/words.ts";
import { renderCost, totalInput } from "../now/rows.ts";

const MILLION = 1_000_000;

/** Renders the tokens of each kind, their list prices and costs. The kinds are disjoint. */
export function renderUsage(seen: SeenRequest): Html {
  const { inputTokens, outputTokens, cacheRead = 0, cacheWrite = 0, thinkingTokens, price } = seen;
  const total = totalInput(seen);
  if (total === undefined || inputTokens === undefined) {
    return markup`<p class="panel pad muted">No usage is known.</p>`;
  }
  const prices = toPrices(price, total);
  const rows: [string, number, number | undefined][] = [
    ["Input", inputTokens, prices.input],
    ["Read from cache", cacheRead, prices.cacheRead],
    ["Written to cache", cacheWrite, prices.cacheWrite],
    ["Output", outputTokens ?? 0, prices.output],
  ];
  return markup`<div class="panel scroll"><table aria-labelledby="usage">
<thead><tr><th scope="col">Kind</th><th scope="col" class="num">Tokens</th><th scope="col" class="num">Price</th><th scope="col" class="num">Cost</th></tr></thead>
<tbody>${
    rows.map(([kind, tokens, usd]) =>
      markup`<tr><th scope="row">${kind}</th><td class="num">${formatExact(tokens)}</td><td class="num">${
        usd === undefined ? unknown() : formatPrice(usd * MILLION)
      }</td><td class="num">${
        tokens === 0 ? "$0" : usd === undefined ? unknown() : formatCost(tokens * usd)
      }</td></tr>`
    )
  }${thinkingTokens !== undefined && thinkingTokens > 0 && thinkingRow(thinkingTokens)}</tbody>
<tfoot><tr><th scope="row">${formatNumber(seen.turns, "turn")}</th><td class="num">${
    formatExact(total + (outputTokens ?? 0))
  }</td><td></td><td class="num">${renderCost(seen)}</td></tr></tfoot>
</table></div>
<p class="hint">${toSource(seen)}</p>`;
}

/** Renders the part of the output that is thinking. Its cost is within that of the output. */
function thinkingRow(tokens: number): Html {
  return markup`<tr><th scope="row" class="muted">&ensp;of it thinking</th><td class="num">${
    formatExact(tokens)
  }</td><td class="num">${unknown()}</td><td class="num">${unknown()}</td></tr>`;
}

function toPrices(price: SeenPrice | undefined, total: number) {
  const input = inputPrice(price, total);
  return {
    input,
    cacheRead: price?.cacheRead ?? input,
    cacheWrite: price?.cacheWrite ?? input,
    output: price?.output,
  };
}

function toSource({ usd, costReported }: SeenRequest): string {
  if (usd === undefined) return "The upstream reports no cost, and the model has no list price.";
  return costReported === true
    ? "The upstream reports the sum. Prices and costs of the rows are those of its list."
    : "By list price: the upstream reports no cost.";
}
