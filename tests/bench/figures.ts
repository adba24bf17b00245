import { type Measured, median } from "./measure.ts";
import { type Figure, type Goal, type Metric, type Scenario, UNITS } from "./scenarios.ts";

/** The figures of one round, by the names of the targets. */
export type Round = Readonly<Record<string, Measured>>;

/** The figure of a scenario on one runtime, ready to be printed. */
export interface Row {
  runtime: string;
  scenario: string;
  metric: Metric;
  /** Median of each target, by its name. */
  medians: Record<string, number>;
  /** Figure that the goal limits: median, minimum and maximum over the rounds; NaN if one of its targets failed. */
  compared: { median: number; least: number; most: number };
  goal: Goal | undefined;
  /** True if the goal is met; undefined without one, and if one of its targets failed. */
  met: boolean | undefined;
}

/** Returns the row of a figure. Each round is compared by itself, because a machine's speed changes between rounds. */
export function toRow(
  runtime: string,
  { title, upstream: _, ...scenario }: Scenario,
  { metric, goal }: Figure,
  rounds: readonly Round[],
): Row {
  const names = Object.keys(rounds[0] ?? {});
  const medians = Object.fromEntries(
    names.map((name) => [name, median(rounds.map((round) => valueOf(round, name, metric)))]),
  );
  const other = scenario.request.upstreamApi === "messages" ? "pass_through" : "translator";
  const comparison = goal ?? { kind: "ratio", to: other, most: Infinity };
  const values = rounds.map((round) => compare(round, metric, comparison));
  const middle = median(values);
  return {
    runtime,
    scenario: title,
    metric,
    medians,
    compared: { median: middle, least: Math.min(...values), most: Math.max(...values) },
    goal,
    met: goal && !Number.isNaN(middle) ? middle <= goal.most : undefined,
  };
}

function valueOf(round: Round, name: string, metric: Metric): number {
  return round[name]?.[metric] ?? NaN;
}

function compare(round: Round, metric: Metric, goal: Goal): number {
  const gateway = valueOf(round, "gateway", metric);
  switch (goal.kind) {
    case "value":
      return gateway;
    case "difference":
      return gateway - valueOf(round, goal.to, metric);
    case "ratio":
      return gateway / valueOf(round, goal.to, metric);
    case "ratio added": {
      const direct = valueOf(round, "direct", metric);
      return (gateway - direct) / (valueOf(round, goal.to, metric) - direct);
    }
  }
}

/** The columns of the targets that each run has; those of further targets follow. */
const FIRST_COLUMNS: readonly string[] = ["direct", "pass_through", "translator", "gateway"];

/** Returns the rows as a table in Markdown, with a column for each target, as wide as its widest cell. */
export function toTable(rows: readonly Row[]): string {
  const measured = new Set(rows.flatMap(({ medians }) => Object.keys(medians)));
  const first = FIRST_COLUMNS.filter((name) => measured.has(name));
  const names = [...first, ...[...measured].filter((name) => !FIRST_COLUMNS.includes(name)).sort()];
  const head = ["runtime", "scenario", "metric", ...names, "compared", "least to most", "goal", "met"];
  const lines = rows.map(({ runtime, scenario, metric, medians, compared, goal, met }) => {
    const { unit, digits } = UNITS[metric];
    return [
      runtime,
      scenario,
      `${metric}, ${unit}`,
      ...names.map((name) => medians[name] === undefined ? "" : medians[name].toFixed(digits)),
      ...(Number.isNaN(compared.median)
        ? ["", ""]
        : [compared.median.toFixed(2), `${compared.least.toFixed(2)} to ${compared.most.toFixed(2)}`]),
      goal === undefined ? "" : toGoalText(goal),
      met === undefined ? "" : met ? "yes" : "no",
    ];
  });
  const widths = head.map((cell, nth) =>
    Math.max(3, cell.length, ...lines.map((cells) => cells[nth]?.length ?? 0))
  );
  const ruler = widths.map((width) => "-".repeat(width));
  return [head, ruler, ...lines]
    .map((cells) => `| ${cells.map((cell, nth) => cell.padEnd(widths[nth] ?? 0)).join(" | ")} |`)
    .join("\n");
}

function toGoalText(goal: Goal): string {
  switch (goal.kind) {
    case "value":
      return `at most ${goal.most}`;
    case "difference":
      return `${goal.to} + ${goal.most}`;
    case "ratio":
      return `${goal.most} × ${goal.to}`;
    case "ratio added":
      return `${goal.most} × added by ${goal.to}`;
  }
}
