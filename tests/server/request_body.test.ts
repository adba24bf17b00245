import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../lib/config/settings.ts";
import { toBytes } from "../kit/bytes.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import type { Json } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeDelta } from "../kit/streams.ts";
import type { FakeReply } from "../kit/upstream.ts";

const KEYS = {
  alice: "alice-0123456789abcdef",
  bob: "bob-0123456789abcdef",
  carol: "carol-0123456789abcdef",
};
const MESSAGES = "/v1/messages";
const COUNT = "/v1/messages/count_tokens";
const MIB = 1024 * 1024;
/** An answer that begins and does not end. */
const OPEN: FakeReply & object = { body: writeDelta({ content: "Hi" }), ending: "open" };

function createGateway(
  settings: Settings = {},
  upstream: FakeReply = { body: COMPLETE_STREAMS.chat },
): TestGateway {
  return createTestGateway({ settings: { GATEWAY_API_KEYS: Object.values(KEYS), ...settings }, upstream });
}

/** A request whose body the test sends piece by piece. */
class Upload {
  readonly response: Promise<Response>;
  /** Number of reads of the body. */
  reads = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #onRead = () => {};
  #answered = false;

  constructor(gateway: TestGateway, key: string, path = MESSAGES) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        this.reads++;
        this.#onRead();
      },
    }, { highWaterMark: 0 });
    this.response = gateway.post(body, { path, headers: { "x-api-key": key } }).finally(() => {
      this.#answered = true;
      this.#onRead();
    });
  }

  /** Sends a piece when the gateway reads, and waits until it reads on or has answered. */
  async send(piece: Uint8Array): Promise<void> {
    await this.#waitForRead(Math.max(1, this.reads));
    const before = this.reads;
    this.#controller?.enqueue(piece);
    await this.#waitForRead(before + 1);
  }

  async #waitForRead(count: number): Promise<void> {
    while (this.reads < count && !this.#answered) {
      await new Promise<void>((resolve) => this.#onRead = resolve);
    }
  }

  /** Ends the body with a request. */
  async finish(): Promise<Response> {
    await this.send(toBytes(JSON.stringify(minimalRequest("chat"))));
    this.#controller?.close();
    return await this.response;
  }

  /** Breaks off the body. */
  async break(): Promise<Response> {
    this.#controller?.error(new TypeError("terminated"));
    return await this.response;
  }
}

const spaces = (mib: number) => new Uint8Array(mib * MIB).fill(32);

async function errorOf(response: Response): Promise<string> {
  const { error } = await response.json();
  return `${response.status} ${error.type} ${error.message}`;
}

for (const path of [MESSAGES, COUNT]) {
  test(`POST ${path} takes its concurrency slot before it reads the body`, async () => {
    const gateway = createGateway({ LIMITS: { each: { concurrent: 50 } } });
    const uploads = Array.from({ length: 50 }, () => new Upload(gateway, KEYS.alice, path));
    for (const upload of uploads) await upload.send(toBytes(" "));
    const another = new Upload(gateway, KEYS.alice, path);
    const what = path === COUNT ? "50 concurrent token counts" : "50 concurrent requests";
    assert.match(
      await errorOf(await another.response),
      new RegExp(`^429 rate_limit_error .*limit of ${what}$`),
    );
    assert.equal(another.reads, 0, "its body is not read");
    const ofBob = new Upload(gateway, KEYS.bob, path);
    assert.equal((await ofBob.finish()).status, 200, "another key has its own slots");
    for (const upload of uploads) {
      const response = await upload.break();
      assert.equal(response.status, 400);
      await response.text();
    }
    assert.equal((await new Upload(gateway, KEYS.alice, path).finish()).status, 200, "slots are freed");
  });
}

test("POST /v1/messages/count_tokens does not take slots of messages", async () => {
  const gateway = createGateway({ LIMITS: { each: { concurrent: 1 } } });
  const message = new Upload(gateway, KEYS.alice);
  await message.send(toBytes(" "));
  assert.equal((await new Upload(gateway, KEYS.alice, COUNT).finish()).status, 200);
  assert.equal((await message.finish()).status, 200);
});

/** Bodies that are rejected after their slot was taken. */
const BAD_BODIES: [what: string, body: string][] = [
  ["not JSON", "{"],
  ["without a model", "{}"],
  ["of an unknown model", JSON.stringify(minimalRequest("chat", { model: "demo/x/y" }))],
];

for (const [what, body] of BAD_BODIES) {
  test(`POST /v1/messages frees the slot of a body ${what}`, async () => {
    const gateway = createGateway({ LIMITS: { each: { concurrent: 1 } } });
    const headers = { "x-api-key": KEYS.alice };
    for (let nth = 0; nth < 3; nth++) {
      for (const path of [MESSAGES, COUNT]) {
        const response = await gateway.post(body, { path, headers });
        assert.notEqual(response.status, 429);
        await response.text();
      }
    }
    assert.equal((await gateway.post(minimalRequest("chat"), { headers })).status, 200);
  });
}

test("POST /v1/messages frees the slot if the expected input exceeds a limit", async () => {
  const gateway = createGateway({ LIMITS: { each: { concurrent: 1, input_tokens: 100 } } });
  const headers = { "x-api-key": KEYS.alice };
  const large = minimalRequest("chat", { system: "word ".repeat(100) });
  assert.equal((await gateway.post(large, { headers })).status, 200);
  for (let nth = 0; nth < 3; nth++) {
    assert.match(
      await errorOf(await gateway.post(large, { headers })),
      /^429 .*limit of 100 input tokens per minute$/,
    );
  }
});

test("BODY_MEMORY bounds the bodies of a key to half, and those of all keys", async () => {
  const gateway = createGateway({ BODY_MEMORY: 64 });
  const first = new Upload(gateway, KEYS.alice);
  await first.send(spaces(20));
  const second = new Upload(gateway, KEYS.alice);
  await second.send(spaces(10));
  const third = new Upload(gateway, KEYS.alice);
  await third.send(spaces(3));
  const rejected = await third.response;
  assert.equal(rejected.headers.get("retry-after"), "1");
  assert.equal(
    await errorOf(rejected),
    "429 rate_limit_error Cannot read the request body: this key has too many large requests in progress",
  );
  const ofBob = new Upload(gateway, KEYS.bob);
  await ofBob.send(spaces(30));
  const ofCarol = new Upload(gateway, KEYS.carol, COUNT);
  await ofCarol.send(spaces(5));
  assert.equal(
    await errorOf(await ofCarol.response),
    "529 overloaded_error Cannot read the request body: the gateway has too many large requests in progress",
  );
  assert.equal((await first.finish()).status, 200, "bodies before are not affected");
  assert.equal((await second.break()).status, 400);
  const next = new Upload(gateway, KEYS.alice);
  await next.send(spaces(30));
  assert.equal((await next.finish()).status, 200, "the memory is free again");
  assert.equal((await ofBob.finish()).status, 200);
});

const ALICE = { "x-api-key": KEYS.alice };
/** More than half of the bytes of a key, if `BODY_MEMORY` is 64. */
const large = (fields: Json = {}) => JSON.stringify(minimalRequest("chat", fields)).padEnd(20 * MIB);

/** How a message with a large body is in progress, and how it ends. */
const ENDINGS: [
  how: string,
  reply: FakeReply,
  stream: boolean,
  end: (response: Promise<Response>, leave: () => void) => Promise<unknown>,
][] = [
  [
    "the client has read it",
    { body: COMPLETE_STREAMS.chat },
    true,
    async (response) => (await response).text(),
  ],
  ["the client cancels it", OPEN, true, async (response) => (await response).body?.cancel()],
  ["the client leaves before its headers", "no headers", false, async (response, leave) => {
    leave();
    await response;
  }],
  [
    "the upstream fails within it",
    { ...OPEN, ending: "reset" },
    true,
    async (response) => (await response).text(),
  ],
];

for (const [how, reply, stream, end] of ENDINGS) {
  test(`BODY_MEMORY counts the body of an answer in progress until ${how}`, async () => {
    const gateway = createGateway({ BODY_MEMORY: 64 }, reply);
    const leaving = new AbortController();
    const answer = gateway.post(large({ stream }), { headers: ALICE, signal: leaving.signal });
    if (stream) await answer;
    else await gateway.upstream.stalled;
    const refused = await gateway.post(large(), { headers: ALICE, path: COUNT });
    assert.match(await errorOf(refused), /^429 .* too many large requests in progress$/);
    await end(answer, () => leaving.abort());
    assert.equal((await gateway.post(large(), { headers: ALICE, path: COUNT })).status, 200);
  });
}

test("BODY_MEMORY counts the body of an answer that is read on after its client has left", async () => {
  const gateway = createGateway({ BODY_MEMORY: 64, LIMITS: { each: { usd_day: 1 } } }, OPEN);
  await (await gateway.post(large({ stream: true }), { headers: ALICE })).body?.cancel();
  assert.equal((await gateway.post(large(), { headers: ALICE, path: COUNT })).status, 429);
  gateway.clock.advance(10_000);
  await setImmediate();
  assert.equal((await gateway.post(large(), { headers: ALICE, path: COUNT })).status, 200);
});

test("POST /v1/messages reads a body of pieces of one byte", async () => {
  const gateway = createGateway();
  const text = JSON.stringify(minimalRequest("chat", { system: `${"é\u{1f600}".repeat(3000)}` }));
  const bytes = toBytes(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, ++at));
      else controller.close();
    },
  });
  const response = await gateway.post(body, { headers: { "x-api-key": KEYS.alice } });
  assert.equal(response.status, 200, await response.text());
  const [sent] = gateway.upstream.requests;
  assert.ok(JSON.stringify(sent?.body).includes("é\u{1f600}".repeat(3000)));
});
