import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { isJson, type Json } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

/** Secrets without a known prefix. Their first characters must not remain either. */
const KEY = 'Zq7"k/9+mX%Wv0aB';
const HEADER = "tenant=Pw4\\Rt8{sEcReT}";
const TOKEN = "Hj2Ln6Qs8Uv0Xy3";

const settings = {
  UPSTREAMS: JSON.stringify({
    own: {
      url: "https://own.test/v1",
      key: KEY,
      headers: { "x-tenant": HEADER, "x-forwarded-authorization": `Bearer ${TOKEN}` },
    },
  }),
};

const jsonEscape = (text: string) => JSON.stringify(text).slice(1, -1);
const percent = (text: string) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");

/** Ways in which an upstream may write a secret. */
const FORMS: Record<string, (secret: string) => string> = {
  "as it is": (secret) => secret,
  "twice": (secret) => `${secret} and ${secret}`,
  "percent-encoded": encodeURIComponent,
  "percent-encoded in lower case": (secret) =>
    encodeURIComponent(secret).toLowerCase() + encodeURIComponent(secret),
  "percent-encoded throughout": percent,
  "escaped as JSON": jsonEscape,
  "escaped as JSON twice": (secret) => jsonEscape(jsonEscape(secret)),
  "escaped as JSON in ASCII": (secret) =>
    [...secret].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  "percent-encoded twice": (secret) => encodeURIComponent(percent(secret)),
  "escaped as HTML": (secret) =>
    secret.replace(
      /[&<>"'/+=]/g,
      (c) => c === '"' ? "&quot;" : c === "/" ? "&#x2F;" : `&#${c.charCodeAt(0)};`,
    ),
  "in base64": (secret) => btoa(secret).replace(/=+$/, ""),
  "with escaped slashes": (secret) => secret.replaceAll("/", "\\/"),
  "cut by the limit of a message": (secret) => `${"x".repeat(1990)}${secret}`,
  "cut by the limit of a detail": (secret) => `${"x".repeat(290)}${secret}`,
};

/** Places of an error in which an upstream may write a text. */
const PLACES: Record<string, (text: string) => Json> = {
  "message": (text) => ({ error: { message: `No: ${text}` } }),
  "missing model": (text) => ({ error: { code: 404, message: `No endpoints found for ${text}` } }),
  "reasons": (text) => ({ error: { message: "No", metadata: { reasons: [text, { a: { b: text } }] } } }),
  "details": (text) => ({
    error: { message: "No", details: { error_code: text, nested: { list: [text] } } },
  }),
  "name of a detail": (text) => ({ error: { message: "No", details: { [text]: 1 } } }),
  "availability": (text) => ({ error: { message: "No", availability: { code: "x", why: text } } }),
  "provider": (text) => ({
    error: { message: "Provider returned error", metadata: { provider_name: text, raw: `Bad ${text}` } },
  }),
  "raw body": (text) => ({
    error: {
      message: "Provider returned error",
      metadata: { raw: JSON.stringify({ error: { message: text } }) },
    },
  }),
};

/** Forms in which an upstream may send an error. */
const FORWARDED: Record<string, (body: Json) => FakeResponse> = {
  "a status": (body) => toJson(400, body),
  "a rejected key": (body) => toJson(401, body),
  "a body with status 200": (body) => toJson(200, body),
  "an event": (body) => ({ body: `data: ${JSON.stringify(body)}\n\n` }),
  "an event after content": (body) => ({
    body: `data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: ${JSON.stringify(body)}\n\n`,
  }),
};

function toJson(status: number, body: Json): FakeResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Decodes the escapes of a text, also nested ones. */
function decode(text: string): string {
  const plain = text
    .replace(/\\+u00([\da-f]{2})/gi, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/%(?:25)*([\da-f]{2})/gi, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&#x([\da-f]+);/gi, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))
    .replaceAll("&quot;", '"');
  return plain.replaceAll("\\", "");
}

for (const [way, toReply] of Object.entries(FORWARDED)) {
  test(`POST /v1/messages removes the upstream's secrets from errors in ${way}`, async () => {
    let reply: FakeResponse = {};
    const gateway = createTestGateway({ settings, upstream: new FakeUpstream(() => reply) });
    for (const [place, toBody] of Object.entries(PLACES)) {
      for (const [form, write] of Object.entries(FORMS)) {
        for (const secret of [KEY, HEADER, TOKEN]) {
          const body = toBody(write(secret));
          assert.ok(isJson(body));
          reply = toReply(body);
          for (const stream of [false, true]) {
            const response = await gateway.post(minimalRequest("chat", { model: "own/model", stream }));
            const received = decode(await response.text());
            assert.match(received, /"type":"error"/);
            const start = secret.replaceAll("\\", "").slice(0, 8).toLowerCase();
            const base64 = btoa(secret).slice(0, 8);
            assert.equal(received.toLowerCase().includes(start), false, `${place}, ${form}: ${received}`);
            assert.equal(received.includes(base64), false, `${place}, ${form}: ${received}`);
          }
        }
      }
    }
  });
}

test("POST /v1/messages removes decoded Basic credentials from errors", async () => {
  const headers = { authorization: `Basic ${btoa("user:pass word")}` };
  const gateway = createTestGateway({
    settings: { UPSTREAMS: JSON.stringify({ own: { url: "https://own.test/v1", headers } }) },
    upstream: toJson(400, { error: { message: "No: user:pass word; no: pass word" } }),
  });
  const { error } = await (await gateway.post(minimalRequest("chat", { model: "own/model" }))).json();
  assert.equal(error.message, "No: [redacted]; no: [redacted]");
});

test("POST /v1/messages keeps the rest of an error from which a secret is removed", async () => {
  const body = { error: { message: `Key ${KEY} is not valid`, details: { error_code: "x", retries: 3 } } };
  const gateway = createTestGateway({ settings, upstream: toJson(400, body) });
  const { error } = await (await gateway.post(minimalRequest("chat", { model: "own/model" }))).json();
  assert.deepEqual(error, {
    type: "invalid_request_error",
    message: "Key [redacted] is not valid",
    details: { error_code: "x", retries: 3 },
  });
});

test("POST /v1/messages does not forward a request id of the upstream that contains a secret", async () => {
  for (const id of [TOKEN, `req_${TOKEN}`, `req_0123456789-${TOKEN.slice(0, 9)}`]) {
    const gateway = createTestGateway({
      settings,
      upstream: {
        status: 400,
        headers: { "content-type": "application/json", "request-id": id },
        body: "{}",
      },
    });
    const response = await gateway.post(minimalRequest("chat", { model: "own/model" }));
    await response.text();
    assert.equal(response.headers.get("x-upstream-request-id"), null);
  }
});
