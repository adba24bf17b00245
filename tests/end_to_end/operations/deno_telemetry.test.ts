import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { objects, parseJson } from "../../kit/json.ts";
import { launch, OWN_RUNTIMES } from "../runtimes/launch.ts";

const deno = OWN_RUNTIMES.find(({ name }) => name === "deno");

/** Starts a collector of OpenTelemetry. `waitFor` waits until the received exports contain the texts. */
async function startCollector() {
  const bodies: string[] = [];
  let look = () => {};
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () => {
      bodies.push(body);
      response.setHeader("content-type", "application/json").end("{}");
      look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    bodies,
    waitFor: (...texts: string[]) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (texts.every((text) => bodies.some((body) => body.includes(text)))) resolve();
        };
        look();
      }),
    stop: () =>
      new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

/** Sends a message with secrets, within a trace. */
async function ask(url: string): Promise<void> {
  const response = await fetch(`${url}/v1/messages?query=sEcReT-query`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-api-key": "sEcReT-key-0123456789",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    body: JSON.stringify({
      model: "demo/echo",
      max_tokens: 99,
      messages: [{ role: "user", content: "sEcReT-prompt" }],
    }),
  });
  assert.match(await response.text(), /sEcReT-prompt/);
}

test("Deno's OpenTelemetry sends the spans and metrics of a message to a collector, and no content", {
  skip: deno?.missing ?? "the tests on Deno run it",
  timeout: 60_000,
}, async () => {
  assert.ok(deno !== undefined);
  const collector = await startCollector();
  const program = launch(deno, ["--port", "0"], {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_METRIC_EXPORT_INTERVAL: "100",
  });
  try {
    const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
    const arrived = collector.waitFor('"chat echo"', "gen_ai.client.token.usage").then(() => true);
    // An export may be lost on a loaded machine. Another message causes another one.
    for (let nth = 0; nth < 5; nth++) {
      await ask(url);
      if (await Promise.race([arrived, setTimeout(10_000, false, { ref: false })])) break;
    }
  } finally {
    program.kill("SIGTERM");
    const { stderr } = await program.ended;
    await collector.stop();
    const line = stderr.split("\n").filter((text) => text.startsWith('{"')).map(parseJson)
      .find(({ message }) => message === "request");
    assert.equal(line?.traceId, "0af7651916cd43dd8448eb211c80319c", stderr);
  }
  const exports = collector.bodies.map(parseJson);
  const spans = exports.flatMap(({ resourceSpans }) => objects(resourceSpans)).flatMap(({ scopeSpans }) =>
    objects(scopeSpans).flatMap(({ spans }) => objects(spans))
  );
  const turn = spans.find(({ name }) => name === "chat echo");
  const request = spans.find(({ name, spanId }) =>
    name === "POST /v1/messages" && spanId === turn?.parentSpanId
  );
  assert.ok(turn !== undefined && request !== undefined, JSON.stringify(spans.map(({ name }) => name)));
  assert.equal(turn.traceId, "0af7651916cd43dd8448eb211c80319c");
  for (const secret of ["sEcReT-prompt", "sEcReT-key"]) {
    assert.equal(collector.bodies.join().includes(secret), false, secret);
  }
});
