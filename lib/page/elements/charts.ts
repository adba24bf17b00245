import { attributes, type Html, markup } from "./html.ts";

const WIDTH = 120;
const HEIGHT = 28;

/** Renders values over time as a line; a second line is dashed. `label` says in words what it shows. */
export function sparkline(
  values: readonly number[],
  { label, second }: { label: string; second?: readonly number[] },
): Html {
  const top = Math.max(...values, ...second ?? [], 0);
  const line = toLine(values, top);
  return markup`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${BASE}<path class="area" d="${line}L${WIDTH} 27L0 27Z" /><path class="line" d="${line}" />${
    second && markup`<path class="line second" d="${toLine(second, top)}" />`
  }</svg>`;
}

const BASE = markup`<line class="base" x1="0" x2="${WIDTH}" y1="27.5" y2="27.5" />`;

function toLine(values: readonly number[], top: number): string {
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  const points = values.map((value, at) =>
    `${(at * step).toFixed(1)} ${(27 - (top === 0 ? 0 : value / top) * 25).toFixed(1)}`
  );
  return `M${points.join("L")}`;
}

/** Renders counts over time, most of them zero, as bars. */
export function sparkBars(counts: readonly number[], { label }: { label: string }): Html {
  const top = Math.max(...counts, 1);
  const width = 100 / Math.max(counts.length, 1);
  const bars = counts.map((value, at) => {
    if (value === 0) return undefined;
    const height = Math.max(3, value / top * 26);
    return markup`<rect class="mark" x="${(at * width).toFixed(2)}%" y="${
      (27.5 - height).toFixed(1)
    }" width="${(width * 0.7).toFixed(2)}%" height="${height.toFixed(1)}" />`;
  });
  return markup`<svg class="spark" role="img" aria-label="${label}"><line class="base" x1="0" x2="100%" y1="27.5" y2="27.5" />${bars}</svg>`;
}

/** Renders a share of a limit, from 0 to 1: amber from 80%, red from 100%. The numbers stand beside it. */
export function meter(share: number): Html {
  const kind = share >= 1 ? "fill-bad" : share >= 0.8 ? "fill-warn" : "fill-accent";
  const width = (Math.min(Math.max(share, 0), 1) * 100).toFixed(1);
  return markup`<svg class="meter" aria-hidden="true"><rect class="fill-track" width="100%" height="100%" /><rect class="${kind}" width="${width}%" height="100%" /></svg>`;
}

/** Renders a distribution: a bar for each bucket, the median as a line, the 95th percentile as a dashed one. */
export function distribution(
  counts: readonly number[],
  { label, p50, p95 }: { label: string; p50: number | undefined; p95: number | undefined },
): Html {
  const top = Math.max(...counts, 1);
  const width = 100 / Math.max(counts.length, 1);
  const bars = counts.map((value, at) => {
    const height = value === 0 ? 0 : Math.max(1, value / top * 20);
    return markup`<rect class="fill-muted" x="${(at * width).toFixed(2)}%" y="${
      (21 - height).toFixed(1)
    }" width="${(width * 0.8).toFixed(2)}%" height="${height.toFixed(1)}" />`;
  });
  const mark = (at: number | undefined, dashed: boolean) =>
    at !== undefined &&
    markup`<line class="p" x1="${(at * 100).toFixed(1)}%" x2="${(at * 100).toFixed(1)}%" y1="0" y2="22"${
      attributes({ "stroke-dasharray": dashed && "2 2" })
    } />`;
  return markup`<svg class="dist" role="img" aria-label="${label}">${bars}${mark(p50, false)}${
    mark(p95, true)
  }</svg>`;
}
