// The benchmark: `npm run bench -- --runtimes node,deno,bun --rounds 5`. docs/performance.md explains it.
import { appendFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { type Round, type Row, toRow, toTable } from "./figures.ts";
import { askAll, type Measured, measureIdleStreams, measureRunning, measureStart } from "./measure.ts";
import { toOptions } from "./options.ts";
import {
  compilingScenarios,
  growthScenarios,
  type Metric,
  type Scenario,
  tableScenarios,
} from "./scenarios.ts";
import {
  type BenchRuntime,
  type StartTarget,
  startUpstream,
  type Target,
  targetsOn,
  toOtherTarget,
  toRuntime,
} from "./targets.ts";

const options = toOptions(process.argv.slice(2));
const { growth, quick, rounds, json } = options;
const known = growth ? growthScenarios() : tableScenarios(quick ? "quick" : "full");
const scenarios = known.filter(({ name }) => options.scenarios.test(name));
if (scenarios.length === 0) {
  const names = known.map(({ name }) => name).join(", ");
  throw new Error(`Cannot use --scenarios "${options.scenarios.source}": it matches none of ${names}`);
}
const runtimes = options.runtimes.map(toRuntime);
const others = options.targets.map(toOtherTarget);
if (json !== undefined) appendFileSync(json, ""); // fails before anything is measured
/** The default limit for a client is 1,000 requests at once. */
const GROWTH_ARGS = ["--limits", '{"each":{"concurrent":2000}}'];
const upstream = await startUpstream(options.upstreamPort);

const rows: Row[] = [];
for (const runtime of runtimes) rows.push(...await measureOn(runtime));
await upstream.stop();
console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${rounds} rounds\n`);
console.log(toTable(rows));
if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 1)}\n`);

/** Measures the scenarios on one runtime. */
async function measureOn(runtime: BenchRuntime): Promise<Row[]> {
  const starts = targetsOn(runtime, growth ? GROWTH_ARGS : []);
  const running: Target[] = [upstream, ...others];
  for (const start of Object.values(starts)) running.push(await start(upstream.url));
  try {
    if (!quick) await compileAll(running);
    const rows: Row[] = [];
    for (const scenario of scenarios) {
      console.error(`${runtime.name}: ${scenario.title}`);
      try {
        const measured = await measureRounds(scenario, starts, running);
        rows.push(...scenario.figures.map((figure) => toRow(runtime.name, scenario, figure, measured)));
      } catch (error) {
        // The other scenarios are measured all the same.
        console.error(error);
        process.exitCode = 1;
      }
    }
    return rows;
  } finally {
    for (const target of running) if (target !== upstream) await target.stop();
  }
}

/** Runs a scenario against each target in each round, in another order each time. */
async function measureRounds(
  scenario: Scenario,
  starts: Record<string, StartTarget>,
  running: readonly Target[],
): Promise<Round[]> {
  const measure = has(scenario, "cold start")
    ? measureStarted(scenario, starts, (start) => measureStart(start, scenario, upstream))
    : has(scenario, "memory a stream")
    ? measureStarted(scenario, starts, async (start) => {
      const target = await start(upstream.url);
      return await measureIdleStreams(target, scenario, upstream).finally(() => target.stop());
    })
    : measureOf(scenario, running);
  await upstream.plan(scenario.upstream);
  if (!isFresh(scenario)) { for (const target of fitting(scenario, running)) await warmUp(target, scenario); }
  const measured: Round[] = [];
  for (let nth = 0; nth < rounds; nth++) {
    const round: Record<string, Measured> = {};
    for (const [name, run] of shuffle(Object.entries(measure))) {
      await upstream.plan(scenario.upstream);
      round[name] = await run();
    }
    measured.push(round);
  }
  return measured;
}

type Runs = Record<string, () => Promise<Measured>>;

function measureOf(scenario: Scenario, running: readonly Target[]): Runs {
  const targets = fitting(scenario, running);
  return Object.fromEntries(targets.map((target) => [target.name, () => measureRunning(target, scenario)]));
}

/** Scenarios that begin with a new process. */
function measureStarted(
  scenario: Scenario,
  starts: Record<string, StartTarget>,
  run: (start: StartTarget) => Promise<Measured>,
): Runs {
  return Object.fromEntries(
    Object.entries(starts).filter(([name]) => fits(scenario, name)).map((
      [name, start],
    ) => [name, () => run(start)]),
  );
}

function isFresh(scenario: Scenario): boolean {
  return has(scenario, "cold start") || has(scenario, "memory a stream");
}

function has({ figures }: Scenario, metric: Metric): boolean {
  return figures.some((figure) => figure.metric === metric);
}

function fitting(scenario: Scenario, running: readonly Target[]): Target[] {
  return running.filter(({ name }) => fits(scenario, name));
}

/** The translator translates chat completions only. */
function fits({ request }: Scenario, name: string): boolean {
  return request.upstreamApi !== "messages" || name !== "translator";
}

/** Lets the engines compile what every request runs: they need thousands of requests for it. */
async function compileAll(targets: readonly Target[]): Promise<void> {
  for (const scenario of compilingScenarios()) {
    await upstream.plan(scenario.upstream);
    for (const target of fitting(scenario, targets)) await askAll(target, scenario);
  }
}

/** Lets the engine of a target compile what a scenario runs. */
async function warmUp(target: Target, scenario: Scenario): Promise<void> {
  const times = quick ? 1 : 20;
  const requests = scenario.clients > 1 ? scenario.requests : Math.min(times, scenario.requests);
  for (let nth = 0; nth < (quick ? 1 : 2); nth++) await askAll(target, { ...scenario, requests });
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, at: Math.random() })).toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
