import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { createConnect } from "../../../tools/host/web/connect.ts";
import type { FetchOptions, Page } from "../../../tools/host/web.ts";
import { FetchError, type FetchErrorCode } from "../../../tools/errors.ts";
import { FakeClock } from "../../kit/clock.ts";
import { writePdf } from "../../kit/pdf.ts";
import { CERTIFICATE, KEY } from "../../kit/servers/tls.ts";
import { createTestWeb, serve, type TestWebOptions } from "../../kit/servers/web.ts";

type Headers = Record<string, string>;
type Fetching = TestWebOptions & { options?: FetchOptions };

/** Fetches one page from a new server. */
async function fetchFrom(answer: RequestListener, { options, ...given }: Fetching = {}): Promise<Page> {
  const server = await serve(answer);
  try {
    return await createTestWeb({ ...given, allow: [server.host] }).fetchPage(
      `http://${server.host}/page`,
      options,
    );
  } finally {
    await server.close();
  }
}

function send(headers: Headers, body: string | Uint8Array = "", status = 200): RequestListener {
  return (_, response) => void response.writeHead(status, headers).end(body);
}

async function assertFails(work: Promise<unknown>, code: FetchErrorCode, message: RegExp): Promise<void> {
  const failure = await work.then((value) => value, (error: unknown) => error);
  assert.ok(failure instanceof FetchError, `${failure}`);
  assert.equal(failure.code, code);
  assert.match(failure.message, message);
  assert.doesNotMatch(failure.message, /ECONN|HPE_|node_modules| at /);
}

const textOf = ({ content }: Page) => content.type === "text" ? content.text : undefined;

test("fetchPage() converts HTML to Markdown and returns other text unchanged", async () => {
  const html =
    `<!doctype html><title>A &amp; B</title><script>evil()</script><h1>Head</h1><p>See <a href="x">this</a>.
    <ul><li>one<li>two</ul><table><tr><th>k<th>v</tr><tr><td>a<td>1|2</tr></table><pre><code>a &lt; b</code></pre>`;
  const page = await fetchFrom(send({ "content-type": "text/html; charset=utf-8" }, html));
  assert.equal(page.title, "A & B");
  assert.equal(page.mediaType, "text/html");
  assert.equal(page.status, 200);
  assert.equal(page.bytes, Buffer.byteLength(html));
  assert.match(
    textOf(page) ?? "",
    /^# Head\n\nSee \[this\]\(http:\/\/127\.0\.0\.1:\d+\/x\)\.\n\n-\s+one\n-\s+two\n\n\| k \| v \|\n\| --- \| --- \|\n\| a \| 1\\\|2 \|\n\n```\na < b\n```$/,
  );
  for (
    const type of ["text/plain", "application/json", "application/ld+json", "image/svg+xml", "text/markdown"]
  ) {
    assert.equal(textOf(await fetchFrom(send({ "content-type": type }, '{"a": "<b>"}'))), '{"a": "<b>"}');
  }
});

test("fetchPage() extracts the main part of a page", async () => {
  const paragraph = `<p>${
    "This is a sentence of the article, which goes on, and on, and says something. ".repeat(5)
  }</p>`;
  const menu = `<div class="sidebar menu"><ul>${"<li><a href='/m'>MENU ITEM</a></li>".repeat(20)}</ul></div>`;
  const html = `<title>T</title>${menu}<article><h2>The heading</h2>${paragraph.repeat(8)}</article>`;
  const text = textOf(await fetchFrom(send({ "content-type": "text/html" }, html))) ?? "";
  assert.match(text, /The heading/);
  assert.match(text, /says something/);
  assert.doesNotMatch(text, /MENU ITEM/);
});

test("fetchPage() decodes the charset of a page", async () => {
  const latin = Uint8Array.from([0x63, 0x61, 0x66, 0xe9]);
  const utf16 = Uint8Array.from([0xff, 0xfe, 0x63, 0, 0x61, 0, 0x66, 0, 0xe9, 0]);
  const meta = Buffer.from('<meta charset="windows-1252"><p>caf\xe9', "latin1");
  const xml = Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>caf\xe9</a>', "latin1");
  const cases: [Headers, Uint8Array][] = [
    [{ "content-type": "text/plain; charset=ISO-8859-1" }, latin],
    [{ "content-type": 'text/plain; x=y; charset="iso-8859-1"' }, latin],
    [{ "content-type": "text/plain" }, utf16],
    [{ "content-type": "text/html" }, meta],
    [{ "content-type": "application/xml" }, xml],
    [{ "content-type": "text/plain; charset=no-such" }, Buffer.from("café")],
    [{ "content-type": "text/plain" }, Buffer.from("café")],
  ];
  for (const [headers, bytes] of cases) {
    assert.match(textOf(await fetchFrom(send(headers, bytes))) ?? "", /café/, headers["content-type"]);
  }
});

test("fetchPage() decompresses bodies and requests only encodings that it supports", async () => {
  const packed: [string, Uint8Array][] = [["gzip", gzipSync("hello")], ["x-gzip", gzipSync("hello")]];
  for (
    const [encoding, body] of [...packed, ["br", brotliCompressSync("hello")], [
      "deflate",
      deflateSync("hello"),
    ]] as const
  ) {
    assert.equal(
      textOf(await fetchFrom(send({ "content-encoding": encoding, "content-type": "text/plain" }, body))),
      "hello",
    );
  }
  let requested = "";
  await fetchFrom((request, response) => {
    requested = JSON.stringify(request.headers);
    response.writeHead(200, { "set-cookie": "a=b" }).end("x");
  });
  assert.match(requested, /"accept-encoding":"gzip, br"/);
  assert.match(requested, /"user-agent":"openrouter-anthropic-server /);
  assert.doesNotMatch(requested, /cookie|authorization|referer/i);
  const fails = fetchFrom(send({ "content-encoding": "gzip, gzip" }, gzipSync(gzipSync("x"))));
  await assertFails(fails, "unsupported_content_type", /content encoding is not/);
  const broken = fetchFrom(
    send({ "content-encoding": "gzip", "content-type": "text/plain" }, gzipSync("hello").subarray(0, 12)),
  );
  await assertFails(broken, "url_not_accessible", /incomplete or corrupt/);
  await assertFails(
    fetchFrom(send({ "content-encoding": "gzip", "content-type": "text/plain" }, "no gzip")),
    "url_not_accessible",
    /incomplete or corrupt/,
  );
});

test("fetchPage() reads a PDF as text or bytes, and rejects an invalid or too large one", async () => {
  const pdf = writePdf(["Hello first page", "And the second"]);
  const headers = { "content-type": "application/pdf" };
  const text = textOf(await fetchFrom(send(headers, pdf))) ?? "";
  assert.equal(text, "## Page 1 of 2\n\nHello first page\n\n## Page 2 of 2\n\nAnd the second");
  const { content } = await fetchFrom(send({}, pdf), { options: { pdf: "bytes" } });
  assert.deepEqual(content, { type: "pdf", data: Buffer.from(pdf).toString("base64") });
  const large = fetchFrom(send(headers, pdf), { limits: { pdfBytes: 100 } });
  await assertFails(large, "content_too_large", /more than 100 bytes/);
  await assertFails(
    fetchFrom(send(headers, "%PDF-1.4 nonsense")),
    "unsupported_content_type",
    /not a readable PDF/,
  );
});

test("fetchPage() recognises text by its bytes", async () => {
  assert.equal((await fetchFrom(send({}, "<!DOCTYPE html><p>x"))).mediaType, "text/html");
  assert.equal(
    (await fetchFrom(send({ "content-type": "application/octet-stream" }, "plain"))).mediaType,
    "text/plain",
  );
  for (
    const type of ["image/png", "video/mp4", "application/zip", "font/woff2", "application/x-msdownload"]
  ) {
    await assertFails(
      fetchFrom(send({ "content-type": type }, "x")),
      "unsupported_content_type",
      /neither text nor PDF/,
    );
  }
  await assertFails(fetchFrom(send({}, "\x7fELF\0\0\0")), "unsupported_content_type", /neither/);
});

test("fetchPage() reports an error status", async () => {
  for (
    const [status, code] of [[404, "url_not_accessible"], [500, "url_not_accessible"], [
      429,
      "too_many_requests",
    ]] as const
  ) {
    await assertFails(fetchFrom(send({}, "the body", status)), code, new RegExp(`status ${status}$`));
  }
  await assertFails(fetchFrom(send({}, "", 302)), "url_not_accessible", /status 302$/);
  await assertFails(
    fetchFrom(send({ location: "http://" }, "", 302)),
    "url_not_accessible",
    /an invalid URL$/,
  );
});

test("fetchPage() limits the bytes that it reads of bombs and endless bodies", async () => {
  const limits = { textBytes: 100_000 };
  const bomb = gzipSync(new Uint8Array(200 * 1024 * 1024).fill(97));
  const page = await fetchFrom(send({ "content-encoding": "gzip", "content-type": "text/plain" }, bomb), {
    limits,
  });
  assert.deepEqual([page.bytes, page.truncated], [100_000, true]);

  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => closed = resolve);
  const endless = await fetchFrom((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.on("close", closed);
    const write = () => {
      while (!response.destroyed && response.write("<p>more".repeat(1000)));
      if (!response.destroyed) response.once("drain", write);
    };
    write();
  }, { limits });
  assert.deepEqual([endless.bytes, endless.truncated], [100_000, true]);
  await gone;
});

test("fetchPage() times out in every phase of a slow host", async () => {
  const slow: Record<string, (clock: FakeClock) => RequestListener> = {
    "no answer": (clock) => () => clock.advance(20_000),
    "no body": (clock) => (_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("a", () => clock.advance(20_000));
    },
    "drips": (clock) => (_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const writeByte = () => {
        if (response.destroyed) return;
        clock.advance(1000);
        response.write("a", () => setImmediate(writeByte));
      };
      writeByte();
    },
  };
  for (const [name, answer] of Object.entries(slow)) {
    const clock = new FakeClock();
    const after = clock.after.bind(clock);
    await assertFails(fetchFrom(answer(clock), { after }), "url_not_accessible", /longer than 20 seconds/);
    assert.equal(clock.waiting, 0, name);
  }
  const clock = new FakeClock();
  const resolve = () => {
    clock.advance(20_000);
    return new Promise<string[]>(() => {});
  };
  const web = createTestWeb({ resolve, after: clock.after.bind(clock) });
  await assertFails(
    web.fetchPage("https://slow.example.com/"),
    "url_not_accessible",
    /longer than 20 seconds/,
  );
});

test("fetchPage() ends with the call and closes its connection", async () => {
  const call = new AbortController();
  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => closed = resolve);
  const work = fetchFrom((_, response) => {
    response.on("close", closed);
    call.abort(new Error("The client has left"));
  }, { signal: call.signal });
  await assert.rejects(work, /The client has left/);
  await gone;
});

test("fetchPage() rejects too many headers and responses that are not HTTP", async () => {
  await assertFails(
    fetchFrom(send({ "x-large": "y".repeat(1_000_000) })),
    "url_not_accessible",
    /headers that are too large/,
  );
  const garbage: RequestListener = (request) => void request.socket.end("SSH-2.0-OpenSSH\r\n\r\n");
  await assertFails(fetchFrom(garbage), "url_not_accessible", /did not send a valid HTTP response/);
  const cut: RequestListener = (_, response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": "100" });
    response.write("abc", () => response.destroy());
  };
  await assertFails(fetchFrom(cut), "url_not_accessible", /incomplete or corrupt|did not respond/);
  const server = await serve(send({}));
  await server.close();
  const web = createTestWeb({ allow: [server.host] });
  await assertFails(web.fetchPage(`http://${server.host}/`), "url_not_accessible", /refused the connection/);
});

test("fetchPage() connects to the resolved address and checks the certificate for the name", async () => {
  const server = await serve((request, response) => response.end(request.headers.host), {
    cert: CERTIFICATE,
    key: KEY,
  });
  try {
    const allow = [`docs.test:${server.port}`, `other.test:${server.port}`, server.host];
    const resolve = () => Promise.resolve(["127.0.0.1"]);
    const web = createTestWeb({ allow, resolve, connect: createConnect({ ca: CERTIFICATE }) });
    assert.equal(
      textOf(await web.fetchPage(`https://docs.test:${server.port}/`)),
      `docs.test:${server.port}`,
    );
    for (const host of [`other.test:${server.port}`, server.host]) {
      await assertFails(
        web.fetchPage(`https://${host}/`),
        "url_not_accessible",
        /no trusted certificate/,
      );
    }
    const withoutCertificate = createTestWeb({ allow, resolve });
    await assertFails(
      withoutCertificate.fetchPage(`https://docs.test:${server.port}/`),
      "url_not_accessible",
      /no trusted certificate/,
    );
    assert.equal(server.paths.length, 1);
  } finally {
    await server.close();
  }
});

test("fetchPage() tries the next address if one does not answer", async () => {
  const requested: string[] = [];
  const clock = new FakeClock();
  const web = createTestWeb({
    resolve: () => Promise.resolve(["2606:4700::1111", "1.1.1.1", "8.8.8.8"]),
    after: clock.after.bind(clock),
    connect: ({ address, signal }) => {
      requested.push(address);
      if (address === "1.1.1.1") return Promise.reject(new Error("refused"));
      if (address === "8.8.8.8") {
        return Promise.resolve({
          status: 200,
          header: () => undefined,
          body: toBody("hi"),
          close() {},
        });
      }
      queueMicrotask(() => clock.advance(5_000));
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  assert.equal(textOf(await web.fetchPage("http://example.com/a#b")), "hi");
  assert.deepEqual(requested, ["2606:4700::1111", "1.1.1.1", "8.8.8.8"]);
  assert.equal(clock.waiting, 0);
});

async function* toBody(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

test("fetchPage() follows redirects, and reports one to another host", async () => {
  const target = await serve(send({ "content-type": "text/plain" }, "arrived"));
  const start = await serve((request, response) => {
    const location = request.url === "/away" ? `http://${target.host}/there` : "/away";
    response.writeHead(301, { location }).end();
  });
  try {
    const web = createTestWeb({ allow: [target.host, start.host] });
    const page = await web.fetchPage(`http://${start.host}/near`);
    assert.deepEqual([page.url, textOf(page)], [`http://${target.host}/there`, "arrived"]);
    const unfollowed = await web.fetchPage(`http://${start.host}/near`, { followToOtherHost: false });
    assert.deepEqual([unfollowed.status, unfollowed.movedTo], [301, `http://${target.host}/there`]);
    assert.equal(target.paths.length, 1);
  } finally {
    await Promise.all([target.close(), start.close()]);
  }
});

test("fetchPage() checks the lists of domains at each redirect", async () => {
  const requested: string[] = [];
  const web = createTestWeb({
    resolve: () => Promise.resolve(["8.8.8.8"]),
    connect({ url }) {
      requested.push(url.hostname);
      const to = url.pathname === "/out" ? "https://evil.test/" : undefined;
      const header = (name: string) => name === "location" ? to : undefined;
      return Promise.resolve({ status: to === undefined ? 200 : 302, header, body: toBody(""), close() {} });
    },
  });
  const options = { allowedDomains: ["x.io"] };
  for (
    const url of [
      "https://docs.x.io.evil.com/",
      "https://evilx.io/",
      "https://x.io@evil.com/",
      "https://docs.x.io/out",
    ]
  ) {
    await assertFails(web.fetchPage(url, options), "url_not_allowed", /./);
  }
  assert.deepEqual(requested, ["docs.x.io"]);
  await web.fetchPage("http://docs.x.io./", options);
  await assertFails(
    web.fetchPage("https://a.b.test/", { blockedDomains: ["b.test"] }),
    "url_not_allowed",
    /domain/,
  );
  const both = web.fetchPage("https://x.io/", { allowedDomains: ["x.io"], blockedDomains: ["y.io"] });
  await assertFails(both, "invalid_tool_input", /both/);
  await assertFails(
    web.fetchPage("https://x.io/", { allowedDomains: ["*.x.io"] }),
    "invalid_tool_input",
    /not a domain/,
  );
  await assertFails(
    web.fetchPage(`https://x.io/${"a".repeat(250)}`, { maxUrlChars: 250 }),
    "url_too_long",
    /longer than 250/,
  );
});
