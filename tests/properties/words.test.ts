import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromBase64Url, toBase64Url } from "../../lib/base/encoding/base64url.ts";
import { isSealed, seal, unseal } from "../../lib/dialects/sealed.ts";
import { toClientToolId, toUpstreamToolId } from "../../lib/dialects/tool_id.ts";
import { newId } from "../../lib/runtime/ids.ts";
import { LossReport } from "../../lib/dialects/loss.ts";
import { resolveModel, toSlug } from "../../lib/upstreams/resolve.ts";
import { toRouteLabel } from "../../lib/upstreams/route_label.ts";
import { writeEvents } from "../../lib/server/write_events.ts";
import { toSource } from "../../lib/runtime/http/byte_source.ts";
import { readBytes } from "../../lib/upstreams/response/read_body.ts";
import { readEvents } from "../../lib/upstreams/response/read_events.ts";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { toBytes } from "../kit/bytes.ts";
import { FakeClock } from "../kit/clock.ts";
import { parseEvents } from "../kit/events.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 1000 };

/** Any string, and strings that are difficult for line protocols and headers. */
const anything = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "\r",
      "\n",
      "\0",
      "\u2028",
      "\u2029",
      "\ufeff",
      "\ud800",
      "\udc00",
      "event: x",
      "data: ",
      ":",
      " ",
      "🙂",
      "é",
    ),
  }),
);
/** Any JSON value, serialized and parsed. */
const json = fc.jsonValue({ stringUnit: "binary" }).map((value) => JSON.parse(JSON.stringify(value)));

async function write(events: StreamEvent[]): Promise<string> {
  const batches = async function* () {
    yield events;
  };
  return await new Response(writeEvents(batches(), {
    clock: new FakeClock(),
    client: new AbortController().signal,
    pingIntervalMs: 1000,
    toErrorBody: () => assert.fail("nothing fails"),
    onEnd: () => {},
  })).text();
}

test("writeEvents() keeps any string intact", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything), anything, json, async (texts, type, extra) => {
      const events: Wire[] = texts.map((text) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type, text, extra },
      }));
      const frames = parseEvents(await write(events));
      assert.deepEqual(frames, events);
    }),
    RUNS,
  );
});

test("writeEvents() writes an event of any type as one frame, with its name if it fits into a line", async () => {
  await fc.assert(
    fc.asyncProperty(anything, json, async (type, extra) => {
      const event: Wire = { type, extra };
      const body = await write([event]);
      const read = [];
      const bytes = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(toBytes(body));
          controller.close();
        },
      });
      for await (
        const batch of readEvents(
          readBytes(toSource(bytes.getReader()), { signal: new AbortController().signal }),
        )
      ) {
        read.push(...batch);
      }
      assert.equal(read.length, 1);
      assert.deepEqual(JSON.parse(read[0]?.data ?? ""), event);
      if (/^[ -~]+$/.test(type) && type.trim() === type) assert.equal(read[0]?.event, type);
    }),
    RUNS,
  );
});

test("toBase64Url() and fromBase64Url() are inverse", () => {
  fc.assert(
    fc.property(anything.filter((text) => text.isWellFormed()), (text) => {
      const encoded = toBase64Url(text);
      assert.match(encoded, /^[A-Za-z0-9_-]*$/);
      assert.equal(fromBase64Url(encoded), text);
    }),
    RUNS,
  );
  const long = "é🙂".repeat(100_000);
  assert.equal(fromBase64Url(toBase64Url(long)), long);
});

test("toClientToolId() returns a valid id, which toUpstreamToolId() reverses", () => {
  const ids = fc.oneof(anything, fc.string().map((id) => `toolu_gw12345678_${toBase64Url(id)}`), fc.uuid());
  fc.assert(
    fc.property(ids.filter((id) => id.isWellFormed()), (id) => {
      const clientId = toClientToolId(id, newId);
      assert.match(clientId, /^[a-zA-Z0-9_-]+$/);
      if (id !== "") assert.equal(toUpstreamToolId(clientId), id);
      if (/^[a-zA-Z0-9_-]{1,36}$/.test(id) && !id.startsWith("toolu_gw")) {
        assert.equal(clientId, id, "a valid id stays");
      }
    }),
    RUNS,
  );
  assert.match(toClientToolId(undefined, newId), /^toolu_[A-Za-z0-9]{24}$/);
});

test("toClientToolId() replaces a repeated invalid id by unique ids", () => {
  assert.notEqual(toClientToolId("functions.add:0", newId), toClientToolId("functions.add:0", newId));
});

test("toUpstreamToolId() accepts any string", () => {
  fc.assert(
    fc.property(fc.oneof(anything, anything.map((s) => `toolu_gw12345678_${s}`)), (id) => {
      assert.equal(typeof toUpstreamToolId(id), "string");
    }),
    RUNS,
  );
});

test("seal() and unseal() are inverse for the same model", () => {
  const details = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: "binary" })));
  fc.assert(
    fc.property(anything, details, anything, (model, held, other) => {
      const sealed = seal(model, held);
      assert.ok(isSealed(sealed));
      assert.match(sealed, /^[\w.-]+$/);
      assert.deepEqual(unseal(sealed, model), JSON.parse(JSON.stringify(held)));
      if (other !== model) assert.equal(unseal(sealed, other), undefined);
    }),
    RUNS,
  );
});

test("unseal() rejects forged values and never throws", () => {
  fc.assert(
    fc.property(anything, fc.boolean(), json, (text, prefixed, value) => {
      const forged = prefixed ? `orgw1.${toBase64Url(JSON.stringify(value))}` : `orgw1.${text}`;
      const details = unseal(forged, "m");
      assert.ok(details === undefined || Array.isArray(details));
    }),
    RUNS,
  );
});

test("toSlug() is idempotent and changes only Claude's names", () => {
  const claude = fc.tuple(
    fc.constantFrom("opus", "sonnet", "haiku", "fable", "x"),
    fc.nat(99),
    fc.option(fc.nat(99)),
    fc.constantFrom("", "-20250929", "-latest"),
    fc.constantFrom("", "[1m]"),
  );
  fc.assert(
    fc.property(claude, ([family, major, minor, date, window]) => {
      const version = minor === null ? `${major}` : `${major}.${minor}`;
      const slug = toSlug(`claude-${family}-${version.replace(".", "-")}${date}${window}`);
      assert.equal(slug, `anthropic/claude-${family}-${version}`);
      assert.equal(toSlug(slug), slug);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(anything, (name) => {
      assert.equal(toSlug(toSlug(name)), toSlug(name));
      if (!name.startsWith("claude-")) assert.equal(toSlug(name), name);
    }),
    RUNS,
  );
});

test("toRouteLabel() fits any model name into a header", () => {
  const openrouter = {
    name: "openrouter",
    baseUrl: "https://x.invalid",
    preset: "openrouter",
    dialectChoice: "auto",
  } as const;
  const upstreams = new Map([["openrouter", openrouter]]);
  fc.assert(
    fc.property(anything.filter((name) => name !== ""), (name) => {
      const header = toRouteLabel(resolveModel(name, { upstreams, aliases: new Map() }));
      assert.match(header, /^openrouter\/[!-~]+$/);
    }),
    RUNS,
  );
});

test("LossReport.toHeader() fits any loss into a header", () => {
  fc.assert(
    fc.property(fc.array(anything), (paths) => {
      const loss = new LossReport();
      for (const path of paths) loss.add(path, "dropped");
      const header = loss.toHeader() ?? "";
      assert.match(header, /^[!-~]*$/);
      assert.equal(header === "", paths.length === 0);
      assert.ok(header.length <= 6 * 1024);
    }),
    RUNS,
  );
});

test("LossReport.toHeader() truncates many paths and counts the omitted ones", () => {
  const loss = new LossReport();
  for (let nth = 0; nth < 300_000; nth++) loss.add(`messages.${nth}`, "dropped");
  const [, more = "0"] = /,more;(\d+)$/.exec(loss.toHeader() ?? "") ?? [];
  const listed = (loss.toHeader() ?? "").split(",").length - 1;
  assert.equal(listed + Number(more), 300_000);
});
