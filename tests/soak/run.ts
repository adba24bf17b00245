// A soak of the program over real sockets: `npm run soak -- --seconds 60 --workers 100 --readers 1000 --runtime node`.
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launch, RUNTIMES } from "../end_to_end/runtimes/launch.ts";
import { open, sendRequest } from "./client.ts";
import { judge, KEY, type Transcript } from "./judge.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { judgeSlowReaders, runSlowReaders } from "./slow_readers.ts";
import { startUpstream } from "./upstream.ts";
import { createRandom } from "../kit/random.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    workers: { type: "string", default: "100" },
    readers: { type: "string", default: "1000" },
    runtime: { type: "string", default: "node" },
    seed: { type: "string", default: "20261125" },
  },
});
const [seconds, workers, readers, seed] = [values.seconds, values.workers, values.readers, values.seed].map(
  Number,
);

/** The most memory that a gateway may need more afterwards, and with slow readers, in MiB. */
const MOST_AFTER = 150;
const MOST_FOR_READERS = 400;
/** The longest that another client may wait while the slow readers do not read, in milliseconds. */
const MOST_WAITED = 1000;
/** Time before memory is measured, in milliseconds: the heap of a runtime grows at first. */
const WARM_UP = 5000;

/** Time for which memory is measured while the slow readers do not read, in milliseconds. */
const SETTLE = 3000;

/** Short limits, so that silence ends within the soak, but longer than the pauses of a busy machine. */
const ARGS = [
  ...["--port", "0", "--api-key", KEY, "--log-level", "off", "--upstream-retries", "1"],
  ...["--first-byte-timeout", "10", "--idle-timeout", "10", "--hold-timeout", "1", "--ping-interval", "0.5"],
  ...["--shutdown-timeout", "1", "--limits", '{"each":{"concurrent":null}}'],
];

const checks = { passed: 0, failed: 0 };
function check(wrong: readonly string[], what: string): void {
  if (wrong.length === 0) return void checks.passed++;
  if (++checks.failed <= 20) console.log(`failed: ${what}: ${wrong.join("; ")}`);
}

const runtime = RUNTIMES.find(({ name }) => name.split(" ")[0] === values.runtime);
if (runtime === undefined || runtime.missing || !seconds || !workers) {
  throw new Error(`Cannot soak on "${values.runtime}": there is no such runtime here, or nothing to do`);
}
const upstream = await startUpstream();
const program = launch(runtime, [...ARGS, "--upstream", upstream.url]);
const gateway = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);

const outcomes = new Map<string, number>();
const end = performance.now() + seconds * 1000;
let sent = 0;
async function work(worker: number): Promise<void> {
  const random = createRandom((seed ?? 0) + 2 * worker);
  while (performance.now() < end) {
    const transcript = await sendRequest(gateway, drawPlan(random, sent++));
    const { outcome, wrong } = judge(transcript);
    check(wrong, JSON.stringify(transcript.plan));
    const name = `${transcript.plan.fault}: ${outcome}`;
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  }
}

const soaking = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
await setTimeout(Math.min(WARM_UP, seconds * 500));
const baseline = memory();
let peak = baseline;
const watching = setInterval(() => peak = Math.max(peak, memory()), 500);
await soaking;
clearInterval(watching);
await until(() => upstream.open === 0);
const after = memory();

console.log(
  `${sent} requests in ${seconds} s by ${workers} workers on ${runtime.name}; the upstream received ${upstream.requests} requests`,
);
for (const [name, times] of [...outcomes].sort()) console.log(`  ${String(times).padStart(7)}  ${name}`);
console.log(`memory in MiB: ${baseline} when warm, ${peak} at most, ${after} after`);
check(upstream.open === 0 ? [] : [`${upstream.open} are open`], "nothing is left open at the upstream");
check(
  upstream.mostRequests <= 2 ? [] : [`${upstream.mostRequests} attempts`],
  "no request is sent more than twice",
);
check(after - baseline <= MOST_AFTER ? [] : [`${after - baseline} MiB more`], "memory after the soak");
await checkStatus();

if (readers) {
  await setTimeout(SETTLE);
  const before = memory();
  let peakWithReaders = before;
  const meanwhile = async () => {
    const { requests } = await (await fetch(`${gateway}/status`)).json();
    check(
      requests.open >= readers ? [] : [`only ${requests.open} are open`],
      "all readers are connected at once",
    );
    const settled = performance.now() + SETTLE;
    for (; performance.now() < settled; await setTimeout(100)) {
      peakWithReaders = Math.max(peakWithReaders, memory());
    }
  };
  const result = await runSlowReaders(gateway, readers, { meanwhile, release: upstream.release });
  for (const wrong of judgeSlowReaders(result)) check(wrong, "a slow reader, or another client meanwhile");
  await until(() => upstream.open === 0);
  console.log(
    `${readers} readers that do not read: ${peakWithReaders - before} MiB more, ${
      memory() - before
    } MiB afterwards`,
  );
  console.log(`meanwhile another client received its answer after ${Math.round(result.slowest)} ms at most`);
  check(peakWithReaders - before <= MOST_FOR_READERS ? [] : ["it is too much"], "memory for slow readers");
  check(result.slowest <= MOST_WAITED ? [] : ["that is too long"], "others are served meanwhile");
  check(upstream.open === 0 ? [] : [`${upstream.open} are open`], "nothing is left open at the upstream");
  await checkStatus();
}

// The end: the program stops while a stream is open that the upstream never ends.
const last: Plan = {
  ...drawPlan(createRandom(1), sent),
  fault: "stall",
  stream: true,
  size: 2,
  at: 1,
  behavior: "reads",
};
const ending = await open(gateway, last).answer;
program.kill("SIGTERM");
const parts: string[] = [];
for await (const part of ending.setEncoding("utf8")) parts.push(part);
const headers = { "content-type": ending.headers["content-type"] };
const lastTranscript: Transcript = { plan: last, status: 200, headers, body: parts.join(""), end: "whole" };
const { status } = await program.ended;
check(judge(lastTranscript).wrong, "a stream that is open at the end is ended with an event");
check(status === 0 ? [] : [`its status is ${status}`], "the program ends with status 0");
upstream.close();

console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 ? 0 : 1;

/** The resident memory of the gateway, in MiB. */
function memory(): number {
  const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 50 && !holds(); tries++) await setTimeout(100);
}

async function checkStatus(): Promise<void> {
  const [health, state] = await Promise.all(
    ["health", "status"].map(async (path) => (await fetch(`${gateway}/${path}`)).json()),
  );
  check(health.status === "healthy" ? [] : [`it is ${health.status}`], "the health of the gateway");
  check(state.requests.open <= 1 ? [] : [`${state.requests.open} are open`], "no request is left open");
}
