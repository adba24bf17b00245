import type { ListPrice, ModelFacts } from "../../../dialects/mod.ts";
import { formatDuration, formatPercent, formatPrice } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { count, modelName, state, unknown } from "../../elements/words.ts";
import { type Attempts, quantile } from "./attempts.ts";

/** A model that was asked for, or that an alias names. */
export interface ModelRow {
  /** Upstream and model, `openrouter/openai/gpt-5`. */
  label: string;
  upstream: string;
  /** From the upstream's list; undefined if the list is not loaded, or does not have the model. */
  facts: ModelFacts | undefined;
  /** That of the host for all models, or of the list. */
  price: ListPrice | undefined;
  attempts: Attempts;
}

/** Models that are shown. */
const MAX_ROWS = 50;
/** Share of failures from which a model is marked, and the number of requests that this needs. */
const FAILED_SHARE = 0.1;
const MIN_SENT = 3;

/** Renders the table of models, those that were asked most first. */
export function modelTable(models: readonly ModelRow[]): Html {
  const sorted = models.toSorted((one, other) =>
    other.attempts.sent - one.attempts.sent || (one.label < other.label ? -1 : 1)
  );
  const more = sorted.length - MAX_ROWS;
  return markup`<div class="panel scroll"><table class="pinned" aria-labelledby="models"><thead><tr><th scope="col">Model</th><th scope="col" class="num over-m">Window</th><th scope="col" class="num over-m">Input</th><th scope="col" class="num over-xl">Cached</th><th scope="col" class="num over-m">Output</th><th scope="col" class="num">Turns</th><th scope="col" class="num">Failed</th><th scope="col" class="num over-l">First event</th><th scope="col" class="num over-l">Tokens/s</th></tr></thead><tbody>${
    sorted.slice(0, MAX_ROWS).map(modelRow)
  }${more > 0 && markup`<tr><td colspan="9" class="muted">and ${more} more</td></tr>`}</tbody></table></div>`;
}

function modelRow({ label, facts, price, attempts }: ModelRow): Html {
  const { contextLength } = facts ?? {};
  const { sent, failed, firstEvents, speeds } = attempts;
  const [p50, speed] = [quantile(firstEvents, 0.5), quantile(speeds, 0.5)];
  const narrow = [
    contextLength !== undefined && markup`${count(contextLength)} window`,
    price?.input !== undefined && price.output !== undefined &&
    markup`${perMillion(price.input)} in, ${perMillion(price.output)} out`,
  ].filter((part) => part !== false);
  return markup`<tr><th scope="row" class="cut"><a href="${`.?model=${encodeURIComponent(label)}`}">${
    modelName(label)
  }</a><span class="sub narrow">${
    narrow.flatMap((part, at) => at === 0 ? [part] : [" · ", part])
  }</span></th><td class="num fit over-m">${count(contextLength)}</td><td class="num fit over-m">${
    perMillion(price?.input)
  }</td><td class="num fit over-xl">${perMillion(price?.cacheRead)}</td><td class="num fit over-m">${
    perMillion(price?.output)
  }</td><td class="num fit">${count(sent)}</td><td class="num fit">${
    failedCell(sent, failed)
  }</td><td class="num fit over-l">${
    p50 === undefined ? unknown() : formatDuration(p50)
  }</td><td class="num fit over-l">${speed === undefined ? unknown() : Math.round(speed)}</td></tr>`;
}

function failedCell(sent: number, failed: number): Html {
  if (sent === 0) return unknown();
  const share = formatPercent(failed / sent);
  return sent >= MIN_SENT && failed / sent >= FAILED_SHARE
    ? state("bad", share, { shape: "warning" })
    : markup`${share}`;
}

/** Renders the price of a token as that of a million; unknown is not $0. */
function perMillion(usd: number | undefined): Html {
  return usd === undefined ? unknown() : markup`${formatPrice(usd * 1e6)}`;
}
