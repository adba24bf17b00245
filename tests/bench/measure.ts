import { Agent, get } from "node:http";
import { setTimeout } from "node:timers/promises";
import { expectedText } from "./answers.ts";
import { ask, type ClientRequest, type Received } from "./client.ts";
import { toRequestBody } from "./requests.ts";
import type { Metric, Scenario } from "./scenarios.ts";
import type { BenchUpstream, StartTarget, Target } from "./targets.ts";
import { cpuMsBetween, readCpu, readMemory } from "./usage.ts";

/** Figures of one run of a scenario. */
export type Measured = Partial<Record<Metric, number>>;

/** Time after the last answer in which a target completes its records. */
const SETTLE_MS = 50;
/** Time after which the memory of idle streams, and of an idle process, is read. */
const IDLE_MS = 1000;

/**
 * Runs a scenario against a target that runs already.
 *
 * @throws if an answer fails, or if its text is not that of the upstream.
 */
export async function measureRunning(target: Target, scenario: Scenario): Promise<Measured> {
  const { upstream: { answer }, clients, requests } = scenario;
  // Made before the watch begins: the answers of /health would wait while this process makes a body of 20 MB.
  const call = toCall(target, scenario);
  const watching = scenario.figures.some(({ metric }) => metric === "longest block")
    ? watchBlocks(target)
    : undefined;
  const before = readCpu(target.pid);
  const received = await askAll(target, scenario, { call });
  await setTimeout(SETTLE_MS);
  const cpuMs = cpuMsBetween(before, readCpu(target.pid));
  return {
    "CPU a chunk": (cpuMs * 1000) / (clients * requests * answer.chunks),
    "CPU a request": cpuMs / (clients * requests),
    "first event": median(received.map(({ firstMs }) => firstMs)),
    ...(watching !== undefined && { "longest block": await watching.stop() }),
  };
}

/** Measures the memory of idle streams in a process that has answered little else. */
export async function measureIdleStreams(
  target: Target,
  scenario: Scenario,
  upstream: BenchUpstream,
): Promise<Measured> {
  await upstream.plan({ answer: scenario.upstream.answer });
  await askAll(target, { ...scenario, clients: 8, requests: 10 });
  await upstream.plan(scenario.upstream);
  await setTimeout(IDLE_MS);
  const before = readMemory(target.pid);
  let open = 0;
  let answers: Promise<unknown> | undefined;
  await new Promise<void>((resolve, reject) => {
    const onStart = () => {
      if (++open === scenario.clients) resolve();
    };
    answers = askAll(target, scenario, { onStart, onFailure: () => void target.stop() });
    answers.catch(reject);
  });
  await setTimeout(IDLE_MS);
  const memory = readMemory(target.pid) - before;
  await upstream.release();
  await answers;
  return { "memory a stream": memory / scenario.clients };
}

/** Measures the start of a target up to its first answer, and its memory afterwards. */
export async function measureStart(
  start: StartTarget,
  scenario: Scenario,
  upstream: BenchUpstream,
): Promise<Measured> {
  const startedAt = performance.now();
  const target = await start(upstream.url);
  try {
    await askAll(target, scenario);
    const startMs = performance.now() - startedAt;
    await setTimeout(IDLE_MS);
    return { "cold start": startMs, "idle memory": readMemory(target.pid) / 1024 };
  } finally {
    await target.stop();
  }
}

/** Sends the requests of a scenario. @throws if an answer fails or has another text. */
export async function askAll(
  target: Target,
  scenario: Scenario,
  { call = toCall(target, scenario), onStart, onFailure }: {
    call?: Call;
    onStart?: () => void;
    onFailure?: () => void;
  } = {},
): Promise<Received[]> {
  const { upstream: { answer }, clients, requests } = scenario;
  const { url, body } = call;
  const expected = expectedText(answer);
  const received: Received[] = [];
  const failures: Error[] = [];
  const work = async () => {
    for (let nth = 0; nth < requests && failures.length === 0; nth++) {
      const answer = await ask({ url, body, ...(onStart && { onStart }) });
      if (answer.text !== expected) throw new Error(`it delivered ${differenceOf(answer.text, expected)}`);
      received.push(answer);
    }
  };
  const fail = (error: Error) => {
    failures.push(
      new Error(`Cannot measure "${target.name}" at "${url}": ${error.message}`, { cause: error }),
    );
    onFailure?.();
  };
  // The next target is measured when the requests of this one have ended.
  await Promise.all(Array.from({ length: clients }, () => work().catch(fail)));
  if (failures[0] !== undefined) throw failures[0];
  return received;
}

/** What a target is called with. */
type Call = Pick<ClientRequest, "url" | "body">;

function toCall(target: Target, { request }: Scenario): Call {
  const isMessages = request.upstreamApi === "messages" || target.api === "messages";
  return {
    url: target.url + (isMessages ? "/v1/messages" : "/v1/chat/completions"),
    body: toRequestBody(request, isMessages ? "messages" : "chat"),
  };
}

function differenceOf(text: string, expected: string): string {
  const at = Array.from(expected).findIndex((_, nth) => text[nth] !== expected[nth]);
  return `${JSON.stringify(text.slice(at, at + 50))} instead of ${
    JSON.stringify(expected.slice(at, at + 50))
  }`;
}

/** Sends small requests to a target over a separate connection: the longest wait is the longest block. */
function watchBlocks({ url }: Target): { stop(): Promise<number> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let longest = 0;
  let ended = false;
  const watch = async () => {
    while (!ended) {
      const sentAt = performance.now();
      await new Promise<void>((resolve, reject) =>
        get(`${url}/health`, { agent }, (response) => response.on("end", resolve).resume()).on(
          "error",
          reject,
        )
      );
      longest = Math.max(longest, performance.now() - sentAt);
      await setTimeout(1);
    }
    agent.destroy();
  };
  const watching = watch();
  return {
    async stop() {
      ended = true;
      await watching;
      return longest;
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] ?? NaN) + (sorted[Math.ceil(at)] ?? NaN)) / 2;
}
