import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { ADMIN_KEY, postForm, readToken, signIn } from "./viewer.ts";

/** A browser's side of an event stream of the page. */
class Stream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #text = "";

  constructor(response: Response) {
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    this.#reader = response.body?.getReader();
  }

  /** Reads until a text has arrived, and returns everything up to it. */
  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      const { done, value } = await this.#reader?.read() ?? { done: true };
      assert.equal(done, false, `the stream ended before ${text}`);
      this.#text += new TextDecoder().decode(value);
    }
    const all = this.#text;
    this.#text = "";
    return all;
  }

  /** Reads to the end. */
  async toEnd(): Promise<string> {
    for (let done = false; !done;) {
      const read = await this.#reader?.read();
      done = read?.done ?? true;
      this.#text += new TextDecoder().decode(read?.value);
    }
    return this.#text;
  }

  async cancel(): Promise<void> {
    await this.#reader?.cancel();
  }
}

async function open(gateway: TestGateway, query = "view=", headers = {}): Promise<Stream> {
  return new Stream(await gateway.get(`/console/events?${query}`, headers));
}

test("GET /console/events sends the parts that change", async () => {
  const gateway = createTestGateway();
  const message = { model: "demo/echo", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
  await (await gateway.post(message)).text();
  const stream = await open(gateway);
  const first = await stream.until('"id":"part-finished"');
  assert.match(first, /event: title\ndata: "Now: 0 running, 0 errors this hour · Gateway"/);
  assert.match(first, /"id":"part-sentence"/);
  await (await gateway.post({ ...message, model: "nothing/here" })).text();
  gateway.clock.advance(1000);
  assert.match(await stream.until("nothing/here"), /"id":"part-sentence".*1 failed/);
  await stream.cancel();
});

test("viewers of one address share its rendering, each with the token of its session", async () => {
  const settings = { GATEWAY_ADMIN_KEY: ADMIN_KEY };
  const gateway = createTestGateway({ settings, upstream: { status: 500, body: "{}" } });
  const headers = { "x-api-key": ADMIN_KEY };
  await (await gateway.post({ model: "a/b", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] }, {
    headers,
  })).text();
  const viewers = [await signIn(gateway), await signIn(gateway)];
  const errors = await (await gateway.get("/console/errors", viewers[0])).text();
  const group = /errors\?group=(\w+)/.exec(errors)?.[1];
  for (const viewer of viewers) {
    const token = readToken(await (await gateway.get("/console/", viewer)).text());
    const stream = await open(gateway, `view=errors&group=${group}`, viewer);
    const text = await stream.until("Mark as resolved");
    assert.equal(readToken(text.replaceAll('\\"', '"')), token);
    await stream.cancel();
  }
});

test("GET /console/events ends with the session", async () => {
  const gateway = createTestGateway({ settings: { GATEWAY_ADMIN_KEY: ADMIN_KEY } });
  const session = await signIn(gateway);
  const token = readToken(await (await gateway.get("/console/", session)).text());
  const stream = await open(gateway, "view=", session);
  await stream.until("part-sentence");
  await postForm(gateway, "sign-out", { token }, session);
  gateway.clock.advance(1000);
  assert.match(await stream.toEnd(), /event: end\ndata: "session"\n\n$/);
});

test("GET /console/events ends when the gateway stops, which does not wait for it", async () => {
  const gateway = createTestGateway();
  const stream = await open(gateway);
  await stream.until("part-sentence");
  const stopped = gateway.stop();
  gateway.clock.advance(1000);
  assert.doesNotMatch(await stream.toEnd(), /event: end/);
  await stopped;
});

test("at most 8 event streams are open, and a closed one frees its slot", async () => {
  const gateway = createTestGateway();
  const streams: Stream[] = [];
  for (let nth = 0; nth < 8; nth++) streams.push(await open(gateway));
  assert.equal((await gateway.get("/console/events?view=")).status, 529);
  await streams[0]?.cancel();
  streams.push(await open(gateway));
  for (const stream of streams) await stream.cancel();
  assert.equal(gateway.clock.waiting, 0, "a timer is left");
});

test("HEAD /console/events reports whether the session is valid, and opens no stream", async () => {
  const gateway = createTestGateway({ settings: { GATEWAY_ADMIN_KEY: ADMIN_KEY } });
  const head = (headers: Record<string, string>) =>
    gateway.fetch(new Request("http://gateway.test/console/events?view=", { method: "HEAD", headers }));
  const session = await signIn(gateway);
  assert.equal((await head(session)).status, 200);
  assert.equal(gateway.clock.waiting, 0);
  gateway.clock.advance(8 * 3_600_000);
  assert.equal((await head(session)).status, 401);
});

test("a slow viewer receives no updates until it has read, and does not stop the others", async () => {
  const gateway = createTestGateway();
  const [slow, fast] = [await open(gateway), await open(gateway)];
  for (let nth = 0; nth < 30; nth++) {
    await (await gateway.post({
      model: "x".repeat(100) + nth,
      max_tokens: 9,
      messages: [{ role: "user", content: "Hello" }],
    })).text();
    gateway.clock.advance(1000);
    await fast.until(`, ${nth + 1} failed`);
  }
  await slow.cancel();
  await fast.cancel();
});

test("the stream of a request ends with it", async () => {
  const gateway = createTestGateway();
  await (await gateway.post({
    model: "demo/echo",
    max_tokens: 9,
    messages: [{ role: "user", content: "Hello" }],
  })).text();
  const id = /request\?id=(req_\w+)/.exec(await (await gateway.get("/console/")).text())?.[1];
  const stream = await open(gateway, `view=request&id=${id}`);
  assert.match(await stream.toEnd(), /event: end\ndata: "finished"\n\n$/);
});
