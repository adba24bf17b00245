import assert from "node:assert/strict";
import { test } from "node:test";
import {
  INITIAL,
  type Lifecycle,
  type LifecycleAction,
  type LifecycleChange,
  next,
  type RestartOptions,
} from "../../../../tools/mcp/managed/lifecycle.ts";

const ON_FAILURE: RestartOptions = { restartPolicy: "on-failure", maxRestarts: 2 };
const CRASH: LifecycleChange = { type: "ended", reason: "crash", clean: false };
const EXIT: LifecycleChange = { type: "ended", reason: "exit", clean: true };
const FAILURE: LifecycleChange = { type: "start failed", reason: "failure" };
const RESTART: LifecycleChange[] = [CRASH, { type: "restart due" }, { type: "ready" }];

function run(changes: readonly LifecycleChange[], options: RestartOptions = ON_FAILURE, msBetween = 1) {
  let lifecycle: Lifecycle = INITIAL;
  const done: LifecycleAction[] = [];
  changes.forEach((change, at) => {
    const [after, actions] = next(lifecycle, { ...change, at: at * msBetween }, options);
    lifecycle = after;
    done.push(...actions);
  });
  return { state: lifecycle.state.name, restarts: lifecycle.restarts, done: done.map(toText) };
}

function toText(action: LifecycleAction): string {
  return action.type === "wait" ? `wait ${action.ms}` : action.type;
}

const start: LifecycleChange = { type: "start" };
const ready: LifecycleChange = { type: "ready" };
const stop: LifecycleChange = { type: "stop" };
const pingFailed: LifecycleChange = { type: "ping failed", scheduled: true };
const checkFailed: LifecycleChange = { type: "ping failed", scheduled: false };

const CASES: [
  name: string,
  changes: LifecycleChange[],
  state: string,
  done: string[],
  options?: RestartOptions,
][] = [
  ["starts", [start, ready], "running", ["open"]],
  ["makes several starts one", [start, start, ready, start], "running", ["open"]],
  ["does not repeat a failed first start", [start, FAILURE], "failed", ["open"]],
  ["starts again after a failure", [start, FAILURE, start, ready], "running", ["open", "open"]],
  ["stops a running server", [start, ready, stop], "stopping", ["open", "close"]],
  ["is stopped once its processes have ended", [start, ready, stop, { type: "stopped" }], "stopped", [
    "open",
    "close",
  ]],
  ["stops a server that starts", [start, stop, FAILURE], "stopped", ["open", "close"]],
  ["does not stop twice", [start, ready, stop, stop], "stopping", ["open", "close"]],
  ["ignores a start while it stops", [start, ready, stop, start], "stopping", ["open", "close"]],
  ["restarts after a crash", [start, ready, ...RESTART], "running", ["open", "wait 500", "open"]],
  ["waits longer for each restart in a row", [start, ready, ...RESTART, CRASH], "restarting", [
    ...["open", "wait 500", "open", "wait 1000"],
  ]],
  ["fails after the maximum of restarts", [start, ready, ...RESTART, ...RESTART, CRASH], "failed", [
    ...["open", "wait 500", "open", "wait 1000", "open"],
  ]],
  ["counts a failed restart", [start, ready, CRASH, { type: "restart due" }, FAILURE], "restarting", [
    ...["open", "wait 500", "open", "wait 1000"],
  ]],
  ["restarts at once for a request", [start, ready, CRASH, start], "starting", ["open", "wait 500", "open"]],
  [
    "stops a server that waits for its restart",
    [start, ready, CRASH, stop, { type: "restart due" }],
    "stopped",
    [
      ...["open", "wait 500"],
    ],
  ],
  ["is stopped by an exit with status 0", [start, ready, EXIT], "stopped", ["open"]],
  [
    "restarts after an exit with the policy always",
    [start, ready, EXIT],
    "restarting",
    ["open", "wait 500"],
    {
      restartPolicy: "always",
      maxRestarts: 2,
    },
  ],
  ["fails with the policy never", [start, ready, CRASH], "failed", ["open"], {
    restartPolicy: "never",
    maxRestarts: 2,
  }],
  ["restarts a server that answers no ping", [start, ready, pingFailed, pingFailed, pingFailed], "running", [
    "open",
    "abandon",
  ]],
  [
    "does not restart a server for pings of requests",
    [
      ...[start, ready],
      ...Array(9).fill(checkFailed),
      pingFailed,
    ],
    "running",
    ["open"],
  ],
  [
    "resets the count of failed pings when a ping is answered",
    [
      ...[start, ready, pingFailed, pingFailed, { type: "ping answered" } as const, pingFailed, pingFailed],
    ],
    "running",
    ["open"],
  ],
];

for (const [name, changes, state, done, options] of CASES) {
  test(`next() ${name}`, () => {
    const result = run(changes, options);
    assert.deepEqual([result.state, result.done], [state, done]);
  });
}

test("next() counts restarts anew after a minute without a crash", () => {
  const changes = [start, ready, ...RESTART, ...RESTART, ...RESTART, ...RESTART];
  const { state, restarts, done } = run(changes, ON_FAILURE, 60_000);
  assert.deepEqual([state, restarts], ["running", 4]);
  assert.deepEqual(done.filter((action) => action.startsWith("wait")), Array(4).fill("wait 500"));
});

test("next() waits at most 30 s", () => {
  const options: RestartOptions = { restartPolicy: "always", maxRestarts: 100 };
  const crashes = Array.from({ length: 20 }, () => RESTART).flat();
  assert.equal(run([start, ready, ...crashes], options).done.at(-2), "wait 30000");
});
