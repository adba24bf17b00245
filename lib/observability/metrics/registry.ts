import { bucketOf } from "./histogram_counts.ts";

/** A metric with one series for each combination of its labels' values. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Names of the labels, beside `le` of a histogram. */
  readonly labels: readonly string[];
  /** Returns the family in the text format of Prometheus. */
  toText(): string;
}

/** A number that only grows. */
export interface Counter extends Family {
  /** Adds to the series of these labels' values, which are in the order of the family's labels. */
  add(values: readonly string[], amount?: number): void;
  /** Returns the values of all series. */
  series(): { labels: Record<string, string>; value: number }[];
}

/** A distribution. Two of them with the same bounds can be merged by adding their counts. */
export interface Histogram extends Family {
  observe(values: readonly string[], value: number): void;
  /** Returns the counts of all series. `counts` has one item a bound, and one for what is above the last. */
  series(): { labels: Record<string, string>; counts: readonly number[]; sum: number }[];
}

/** Maximum number of series of a family. Later combinations are counted together, with the value `other`. */
const MAX_SERIES = 500;
/** Maximum length of a label's value in characters. */
const MAX_VALUE_CHARS = 200;

/** Creates a counter with the given labels. */
export function createCounter(name: string, help: string, labels: readonly string[]): Counter {
  const numbers = new Series(labels, () => ({ value: 0 }));
  return {
    name,
    type: "counter",
    labels,
    add(values, amount = 1) {
      if (amount > 0) numbers.of(values).value += amount;
    },
    series: () => numbers.list().map(({ labels, entry: { value } }) => ({ labels, value })),
    toText: () =>
      toFamilyText(
        { name, help, type: "counter" },
        numbers.list().map(({ labels, entry: { value } }) => toLine(name, labels, value)),
      ),
  };
}

/** Creates a histogram with the given labels and upper bounds of its buckets, in ascending order. */
export function createHistogram(
  name: string,
  help: string,
  { labels, bounds }: { labels: readonly string[]; bounds: readonly number[] },
): Histogram {
  const distributions = new Series(
    labels,
    () => ({ counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }),
  );
  return {
    name,
    type: "histogram",
    labels,
    observe(values, value) {
      const entry = distributions.of(values);
      const bucket = bucketOf(bounds, value);
      entry.counts[bucket] = (entry.counts[bucket] ?? 0) + 1;
      entry.sum += value;
    },
    series: () => distributions.list().map(({ labels, entry: { counts, sum } }) => ({ labels, counts, sum })),
    toText: () =>
      toFamilyText(
        { name, help, type: "histogram" },
        distributions.list().flatMap(({ labels, entry: { counts, sum } }) => {
          let total = 0;
          const lines = [...bounds.map(String), "+Inf"].map((le, at) => {
            total += counts[at] ?? 0;
            return toLine(`${name}_bucket`, { ...labels, le }, total);
          });
          return [...lines, toLine(`${name}_sum`, labels, sum), toLine(`${name}_count`, labels, total)];
        }),
      ),
  };
}

/** What a reading shows: one value for each combination of its labels' values, which are in the order of the labels. */
export type Readings = readonly (readonly [values: readonly string[], value: number])[];

/** Creates a family whose values are read when it is written: a gauge, or a counter that is kept elsewhere. */
export function createReading(
  { name, help, type = "gauge", labels = [] }: {
    name: string;
    help: string;
    type?: "gauge" | "counter";
    labels?: readonly string[];
  },
  read: () => Readings,
): Family {
  return {
    name,
    type,
    labels,
    toText: () =>
      toFamilyText(
        { name, help, type },
        read().map(([values, value]) => toLine(name, toLabels(labels, values), value)),
      ),
  };
}

/** Entries by the values of their labels, at most {@linkcode MAX_SERIES} of them. */
class Series<Entry> {
  readonly #labels: readonly string[];
  readonly #create: () => Entry;
  readonly #entries = new Map<string, { values: readonly string[]; entry: Entry }>();

  constructor(labels: readonly string[], create: () => Entry) {
    this.#labels = labels;
    this.#create = create;
  }

  of(values: readonly string[]): Entry {
    const key = values.join("\0");
    const found = this.#entries.get(key);
    if (found !== undefined) return found.entry;
    const isFull = this.#entries.size >= MAX_SERIES;
    const other = this.#labels.map(() => "other");
    if (isFull && key !== other.join("\0")) return this.of(other);
    const entry = this.#create();
    this.#entries.set(key, { values: [...values], entry });
    return entry;
  }

  list(): { labels: Record<string, string>; entry: Entry }[] {
    return [...this.#entries.values()].map(({ values, entry }) => ({
      labels: toLabels(this.#labels, values),
      entry,
    }));
  }
}

function toLabels(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? ""]));
}

function toFamilyText(
  { name, help, type }: { name: string; help: string; type: string },
  lines: readonly string[],
): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

/** Source: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function toLine(name: string, labels: Record<string, string>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${escapeValue(text.slice(0, MAX_VALUE_CHARS))}"`
  );
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

function escapeValue(text: string): string {
  return text.toWellFormed().replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\p{Cc}/gu, " ");
}
