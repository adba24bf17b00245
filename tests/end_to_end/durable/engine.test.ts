import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";

const newFolder = createFolders();
const needsSqlite = { skip: NO_SQLITE };
const INGRESS = "http://restate.test:8080";
const KEYED = { headers: { "idempotency-key": "order-1" } };

/** Creates a gateway whose engine answers as given. The ids of the jobs are added to `jobs`. */
function start(answer: () => Response, jobs: string[], settings = {}): TestGateway {
  return createTestGateway({
    fetch: async (input, init) => {
      if (!String(input).startsWith(INGRESS)) {
        return new Response(COMPLETE_STREAMS.chat, { headers: { "content-type": "text/event-stream" } });
      }
      assert.equal(String(input), `${INGRESS}/openrouter_anthropic_server/run`);
      assert.doesNotMatch(String(init?.body), /Hi|sk-or/, "the engine receives ids only");
      jobs.push(new Headers(init?.headers).get("idempotency-key") ?? "");
      return answer();
    },
    settings: {
      DATA_DIR: newFolder(),
      RESTATE_INGRESS_URL: INGRESS,
      RESTATE_IDENTITY_KEYS: "publickeyv1_a",
      LOG_LEVEL: "off",
      ...settings,
    },
  });
}

/** Sends a request, and waits for the response. The clock advances once the engine is called, so that pauses end. */
async function settle(gateway: TestGateway, jobs: readonly string[]): Promise<Response> {
  let response: Response | undefined;
  void gateway.post(minimalRequest("chat"), KEYED).then((settled) => response = settled);
  for (; response === undefined; await nextTask()) if (jobs.length > 0) gateway.clock.advance(100);
  return response;
}

test(
  "A job that the engine does not have is an error, and a repeat is another job",
  needsSqlite,
  async () => {
    const jobs: string[] = [];
    const gateway = start(() => new Response("not found", { status: 404 }), jobs);
    for (let nth = 0; nth < 2; nth++) {
      const response = await settle(gateway, jobs);
      assert.equal(response.status, 500);
      assert.match(
        (await response.json()).error.message,
        /the gateway is not registered at Restate's server/,
      );
    }
    assert.equal(jobs.length, 2);
    assert.notEqual(jobs[0], jobs[1]);
    await gateway.stop();
  },
);

test(
  "An engine that cannot be reached is retried for 30 seconds, then the status is 529",
  needsSqlite,
  async () => {
    const jobs: string[] = [];
    const gateway = start(() => {
      throw new TypeError("fetch failed");
    }, jobs);
    const response = await settle(gateway, jobs);
    assert.equal(response.status, 529);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.equal(jobs.length, 30);
    assert.equal(new Set(jobs).size, 1);
    await gateway.stop();
  },
);

test("A failure before the answer reaches the client unchanged", needsSqlite, async () => {
  const failure = {
    type: "rate_limit_error",
    message: "Slow down",
    options: { status: 429, retryable: true, retryAfter: "7" },
  };
  const jobs: string[] = [];
  const gateway = start(() => Response.json({ failure }), jobs);
  const response = await settle(gateway, jobs);
  assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "7"]);
  assert.equal((await response.json()).error.message, "Slow down");
  await gateway.stop();
});

test(
  "Requests without an idempotency key, and those with the client's upstream key, need no engine",
  needsSqlite,
  async () => {
    const jobs: string[] = [];
    const own = { headers: { ...KEYED.headers, "x-api-key": "sk-or-of-a-client" } };
    const gateway = start(() => new Response(null, { status: 500 }), jobs, { OPENROUTER_API_KEY: undefined });
    assert.equal((await gateway.post(minimalRequest("chat"), own)).status, 200);
    const { "x-api-key": key } = own.headers;
    assert.equal((await gateway.post(minimalRequest("chat"), { headers: { "x-api-key": key } })).status, 200);
    assert.deepEqual(jobs, []);
    await gateway.stop();
  },
);

test("The endpoints of the engine need a signature, and exist only with an engine", async () => {
  const run = { path: "/restate/invoke/openrouter_anthropic_server/run" };
  const without = createTestGateway({ settings: { GATEWAY_API_KEYS: "alice:key-of-alice-1234" } });
  assert.equal((await without.post("", run)).status, 404);
  assert.equal((await without.get("/restate/discover")).status, 404);
  assert.equal((await without.post("", { path: "/restate/invoke/other/run" })).status, 401);
});
