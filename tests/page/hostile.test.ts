import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHTML } from "linkedom";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { writeChunks } from "../kit/streams.ts";

const SCRIPT = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;
const LINK = "javascript:alert(3)";
const SECRET = "sk-or-v1-0123456789abcdef0123456789abcdef";

/** Addresses that a link or a form of the page may have. */
const ADDRESS =
  /^(?:\.|spend|models|tools|errors|settings|request|events|sign-out|spend\.csv|page\.css|page\.js|icon\.svg|#main)(?:[?#]|$)/;

/** Sends messages with hostile text in each field that a client, a model or an upstream fills. */
async function attack(gateway: TestGateway): Promise<void> {
  for (const hostile of [SCRIPT, LINK, `${LINK}/${SCRIPT}`, SECRET, "a".repeat(5000)]) {
    const headers = {
      "x-claude-code-session-id": hostile,
      "x-session-id": "javascript.alert",
      "x-correlation-id": hostile,
      "user-agent": hostile,
      traceparent: hostile,
    };
    const messages = [{ role: "user", content: hostile }];
    const tools = [{ name: hostile, description: hostile, input_schema: { type: "object", [hostile]: 1 } }];
    const bodies = [
      { model: hostile, max_tokens: 9, messages },
      { model: `openrouter/${hostile}`, max_tokens: 9, messages },
      { model: "openai/gpt-5", max_tokens: 9, messages, tools },
      {
        model: "openai/gpt-5",
        max_tokens: 9,
        messages,
        [hostile]: hostile,
        metadata: { [hostile]: hostile },
      },
      { model: "demo/echo", max_tokens: 9, messages },
      { model: "openai/gpt-5", max_tokens: 9, messages: [{ role: hostile, content: [{ type: hostile }] }] },
    ];
    for (const body of bodies) {
      const response = await gateway.post(body, { headers: asHeaders(headers) });
      await response.text();
    }
    await (await gateway.get(`/v1/models/${encodeURIComponent(hostile.slice(0, 200))}`)).text();
  }
}

function asHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace(/[^ -~]/g, "")]),
  );
}

/** Checks that a document has only the page's scripts, handlers and links. */
function checkDocument(text: string): void {
  const { document } = parseHTML(text);
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    assert.ok(!["iframe", "object", "embed", "base", "style", "img"].includes(name), `<${name}>`);
    if (name === "script") assert.equal(element.outerHTML, '<script type="module" src="page.js"></script>');
    for (const { name: attribute, value } of element.attributes) {
      assert.doesNotMatch(attribute, /^on|^style$/);
      if (["href", "src", "action", "formaction"].includes(attribute)) assert.match(value, ADDRESS);
    }
  }
  assert.doesNotMatch(text, /<script>|<img/);
  assert.equal(text.includes(SECRET), false, "a secret is shown");
}

test("no text of a client, a model or an upstream is markup on the page", async () => {
  const answer = writeChunks(
    { id: SCRIPT, model: SCRIPT, provider: SCRIPT, choices: [{ delta: { content: SCRIPT } }] },
    { choices: [{ delta: {}, finish_reason: SCRIPT }], usage: { prompt_tokens: 1, completion_tokens: 1 } },
  );
  const error = JSON.stringify({
    error: { message: SCRIPT, code: SCRIPT, type: SCRIPT, metadata: { raw: LINK } },
  });
  const gateway = createTestGateway({
    settings: { UPSTREAM_RETRIES: 0 },
    upstream: (nth) =>
      nth % 3 === 0
        ? { body: answer }
        : { status: nth % 3 === 1 ? 500 : 400, headers: { "content-type": "application/json" }, body: error },
  });
  await attack(gateway);
  const query = encodeURIComponent(SCRIPT);
  const addresses = [
    "",
    `?model=${query}&key=${query}&status=${query}&session=${query}&id=${query}&before=${query}`,
    `errors?group=${query}`,
    `request?id=${query}`,
    `spend?month=${query}&range=${query}&days=${query}`,
    "spend",
    "models",
    "tools",
    "errors",
    "settings",
    `sign-in?next=${query}`,
  ];
  const seen = new Set<string>();
  for (let address = addresses.shift(); address !== undefined; address = addresses.shift()) {
    if (seen.has(address)) continue;
    seen.add(address);
    const response = await gateway.get(`/console/${address}`);
    if (response.headers.get("content-type")?.startsWith("text/html") !== true) continue;
    const text = await response.text();
    checkDocument(text);
    const links = [...text.matchAll(/href="((?:request|errors)\?[^"#]*)/g)].map(([, link = ""]) => link);
    addresses.push(...links.map((link) => link.replaceAll("&amp;", "&")));
  }
  assert.ok([...seen].filter((address) => address.startsWith("request?id=req_")).length > 20);
  assert.ok([...seen].filter((address) => address.startsWith("errors?group=")).length >= 3);
  await gateway.stop();
});

test("no text of a client, a model or an upstream is markup in the event stream", async () => {
  const gateway = createTestGateway({
    upstream: {
      status: 500,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: { message: SCRIPT } }),
    },
  });
  await attack(gateway);
  for (const view of ["", "spend", "models", "tools", "errors"]) {
    const response = await gateway.get(`/console/events?view=${view}`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("part-unresolved")) text += (await reader?.read())?.value ?? "";
    await reader?.cancel();
    const parts = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json = "{}"]) => JSON.parse(json).html);
    assert.ok(parts.length >= 3);
    for (const html of parts) checkDocument(`<html><body>${html}</body></html>`);
  }
});
