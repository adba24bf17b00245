import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { readHtml } from "../../../tools/host/web/html.ts";
import { trimHtml } from "../../../tools/host/web/trim_html.ts";
import { isPdfWithinLimit } from "../../../tools/host/pdf/unpacked_size.ts";
import { createWhitespaceLimiter } from "../../../tools/host/web/spacing.ts";

const SIZE = 2 * 1024 * 1024;
const fill = (text: string) => text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE);

/** Pages whose cost is far above their length without limits; each once ran for minutes. */
const PAGES: Record<string, string> = {
  "deep blocks": fill("<div>"),
  "deep marks": fill("<b><i>"),
  "deep, then closed by others": fill("<p>").slice(SIZE / 2) + fill("</div>").slice(SIZE / 2),
  "many elements": fill("<p>a</p>"),
  "many links": "<article>" +
    fill("<p>Hello <a href='/x'>world</a>, this is a paragraph, with commas, of an article.</p>"),
  "many attributes": `<div ${Array.from({ length: 200_000 }, (_, at) => `a${at}=1`).join(" ")}>x</div>`,
  "one attribute": `<a title="${fill("x")}">x</a>`,
  "open tags": fill("<a href='x"),
  "less-than signs": fill("<"),
  "entities": fill("&amp;"),
  "open comments": fill("<!--"),
  "open data": fill("<![CDATA["),
  "spaces": `<pre>${fill(" ")}x`,
  "no-break spaces": `<p>${fill("\u00a0")}x`,
  "no-break entities": fill("&nbsp;"),
  "runs of no-break spaces": `<article><p>${fill("\u00a0".repeat(100) + "x, ")}`,
  "blank marks in deep marks": "<b>".repeat(90) + fill("<i> </i>"),
  "lines in deep lists": "<ol><li>".repeat(45) + "<pre>" + fill("a\n"),
  "lines in deep quotations": "<blockquote>".repeat(98) + "<pre>" + fill("a\n"),
  "deep tables": fill("<table><tr><td>"),
  "long table": "<table>" + fill("<tr><td>a<td>b"),
  "back quotes": "<code>" + fill("`"),
};

for (const [name, page] of Object.entries(PAGES)) {
  test(`readHtml() needs bounded time for ${name}`, async () => {
    const url = new URL("https://example.com/");
    const { elements, html } = trimHtml(page, url);
    assert.ok(elements <= 16_000, `${elements}`);
    assert.ok(html.length < SIZE + 1_000);
    const depths = [...html.matchAll(/<(\/?)(\w+)[^>]*>/g)].reduce(
      ({ depth, most }, [, slash]) => {
        const next = depth + (slash === "/" ? -1 : 1);
        return { depth: next, most: Math.max(most, next) };
      },
      { depth: 0, most: 0 },
    );
    assert.ok(depths.most <= 104, `${depths.most}`);
    const { text } = await readHtml(page, url);
    assert.ok(text.length < 2 * SIZE);
  });
}

test("trimHtml() removes scripts, styles, handlers and script links", () => {
  const page =
    `<base href="https://b.io/x/"><script>SECRET</script><style>SECRET</style><svg><script>SECRET</script></svg>
    <p onclick="SECRET" data-x="SECRET"><a href="javascript:SECRET">a</a><a href="../y?z=1">b</a><img src="data:SECRET">
    <template>SECRET</template><noscript>SECRET</noscript><iframe src="x">SECRET</iframe>`;
  const { html } = trimHtml(page, new URL("https://a.io/"));
  assert.doesNotMatch(html, /SECRET/);
  assert.match(html, /<a>a<\/a><a href="https:\/\/b\.io\/y\?z=1">b<\/a>/);
});

test("createWhitespaceLimiter() shortens whitespace at any cut", () => {
  const text = "a" + " ".repeat(50) + "b\n\n\n\n\nc d   ";
  for (let cut = 1; cut < text.length; cut++) {
    const shorten = createWhitespaceLimiter(3);
    assert.equal(shorten(text.slice(0, cut)) + shorten(text.slice(cut)), "a   b\n\n\nc d   ", `${cut}`);
  }
});

test("isPdfWithinLimit() measures the unpacked size of a PDF, through any number of filters", async () => {
  const large = new Uint8Array(20_000_000);
  const toFile = (stream: Uint8Array) =>
    Buffer.concat([Buffer.from("%PDF-1.4\nstream\r\n"), stream, Buffer.from("\nendstream")]);
  const once = deflateSync(large);
  const cases: [Uint8Array, boolean][] = [
    [toFile(deflateSync("small")), true],
    [toFile(new Uint8Array(1000)), true],
    [new Uint8Array(0), true],
    [toFile(once), false],
    [toFile(deflateSync(once)), false],
    [toFile(deflateSync(deflateSync(once))), false],
    [toFile(deflateSync(deflateSync(deflateSync(deflateSync("x"))))), false],
    [toFile(once.subarray(0, once.length - 10)), false],
    [Buffer.concat(Array.from({ length: 30 }, () => toFile(deflateSync(new Uint8Array(500_000))))), false],
    [Buffer.from("stream\n".repeat(100_000)), false],
  ];
  for (const [at, [file, isBearable]] of cases.entries()) {
    assert.equal(await isPdfWithinLimit(file, 10_000_000), isBearable, `${at}`);
  }
});
