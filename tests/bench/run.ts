// The benchmark: `npm run bench -- --runtimes node,deno,bun --rounds 5`. docs/performance.md explains it.
import { appendFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { type Round, type Row, toRow, toTable } from "./figures.ts";
import { forEachTarget } from "./for_each_target.ts";
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

/** The default limit for a client is 1,000 requests at once. */
const GROWTH_ARGS = ["--limits", '{"each":{"concurrent":2000}}'];

const { growth, quick, rounds, json, scenarios, runtimes, others, upstream } = await prepare().catch(
  (error) => {
    console.error(error.message);
    process.exit(2);
  },
);
const rows: Row[] = [];
for (const runtime of runtimes) rows.push(...await measureOn(runtime));
await upstream.stop();
console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${rounds} rounds\n`);
console.log(toTable(rows));
if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 1)}\n`);

/** Reads the command line, and starts the upstream. Rejects before anything is measured. */
async function prepare() {
  const { growth, quick, rounds, json, ...options } = toOptions(process.argv.slice(2));
  const known = growth ? growthScenarios() : tableScenarios(quick ? "quick" : "full");
  const scenarios = known.filter(({ name }) => options.scenarios.test(name));
  if (scenarios.length === 0) {
    const names = known.map(({ name }) => name).join(", ");
    throw new Error(`Cannot use --scenarios "${options.scenarios.source}": it matches none of ${names}`);
  }
  const runtimes = options.runtimes.map(toRuntime);
  const others = options.targets.map(toOtherTarget);
  if (json !== undefined) checkWritable(json);
  const upstream = await startUpstream(options.upstreamPort);
  return { growth, quick, rounds, json, scenarios, runtimes, others, upstream };
}

/** @throws if the file for the figures cannot be written. */
function checkWritable(path: string): void {
  try {
    appendFileSync(path, "");
  } catch (error) {
    throw new Error(`Cannot use --json "${path}": ${error instanceof Error ? error.message : error}`);
  }
}

/** Measures the scenarios on one runtime. */
async function measureOn(runtime: BenchRuntime): Promise<Row[]> {
  const starts = new Map(Object.entries(targetsOn(runtime, growth ? GROWTH_ARGS : [])));
  const running = new Map([upstream, ...others].map((target) => [target.name, target]));
  const started: Target[] = [];
  try {
    await forEachTarget(starts, async (start, name) => {
      const target = await start(upstream.url);
      started.push(target);
      running.set(name, target);
    }, report);
    if (!quick && !scenarios.every(isFresh)) await compileAll(running);
    const rows: Row[] = [];
    for (const scenario of scenarios) {
      console.error(`${runtime.name}: ${scenario.title}`);
      const measured = await measureRounds(scenario, starts, running);
      rows.push(...scenario.figures.map((figure) => toRow(runtime.name, scenario, figure, measured)));
    }
    return rows;
  } finally {
    for (const target of started) await target.stop();
  }
}

/** Prints the reason why a target is not measured. The others are. */
function report(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Runs a scenario against each target in each round, in another order each time. A target that fails has no figure. */
async function measureRounds(
  scenario: Scenario,
  starts: ReadonlyMap<string, StartTarget>,
  running: ReadonlyMap<string, Target>,
): Promise<Round[]> {
  const runs = toRuns(scenario, starts, running);
  const measured: Record<string, Measured>[] = [];
  if (!isFresh(scenario)) {
    await upstream.plan(scenario.upstream);
    await forEachTarget(runs, async (_, name) => {
      const target = running.get(name);
      if (target !== undefined) await warmUp(target, scenario);
    }, report);
  }
  for (let nth = 0; nth < rounds; nth++) {
    const round: Record<string, Measured> = {};
    await forEachTarget(runs, async (run, name) => {
      await upstream.plan(scenario.upstream);
      round[name] = await run();
    }, report);
    measured.push(round);
  }
  const isComplete = ([name]: [string, Measured]) => runs.has(name);
  return measured.map((round) => Object.fromEntries(Object.entries(round).filter(isComplete)));
}

/** Returns functions that measure a target once, by the names of the targets that fit a scenario. */
function toRuns(
  scenario: Scenario,
  starts: ReadonlyMap<string, StartTarget>,
  running: ReadonlyMap<string, Target>,
): Map<string, () => Promise<Measured>> {
  if (has(scenario, "cold start")) {
    return mapFitting(scenario, starts, (start) => measureStart(start, scenario, upstream));
  }
  if (has(scenario, "memory a stream")) {
    return mapFitting(scenario, starts, async (start) => {
      const target = await start(upstream.url);
      return await measureIdleStreams(target, scenario, upstream).finally(() => target.stop());
    });
  }
  return mapFitting(scenario, running, (target) => measureRunning(target, scenario));
}

function mapFitting<From>(
  scenario: Scenario,
  from: ReadonlyMap<string, From>,
  run: (from: From) => Promise<Measured>,
): Map<string, () => Promise<Measured>> {
  return new Map(
    [...from].filter(([name]) => fits(scenario, name)).map(([name, value]) => [name, () => run(value)]),
  );
}

function isFresh(scenario: Scenario): boolean {
  return has(scenario, "cold start") || has(scenario, "memory a stream");
}

function has({ figures }: Scenario, metric: Metric): boolean {
  return figures.some((figure) => figure.metric === metric);
}

/** The translator translates chat completions only. */
function fits({ request }: Scenario, name: string): boolean {
  return request.upstreamApi !== "messages" || name !== "translator";
}

/** Sends the thousands of requests after which the engines have compiled the code of every request. */
async function compileAll(targets: Map<string, Target>): Promise<void> {
  for (const scenario of compilingScenarios()) {
    await upstream.plan(scenario.upstream);
    await forEachTarget(targets, async (target, name) => {
      if (fits(scenario, name)) await askAll(target, scenario);
    }, report);
  }
}

/** Sends requests until the engine of a target has compiled the code of a scenario. */
async function warmUp(target: Target, scenario: Scenario): Promise<void> {
  const times = quick ? 1 : 20;
  const requests = scenario.clients > 1 ? scenario.requests : Math.min(times, scenario.requests);
  for (let nth = 0; nth < (quick ? 1 : 2); nth++) await askAll(target, { ...scenario, requests });
}
