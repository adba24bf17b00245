import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createConnect, type PageRequest } from "../../../tools/host/web/connect.ts";
import { isPublicAddress } from "../../../tools/policy/address.ts";
import { FetchError } from "../../../tools/errors.ts";
import { createTestWeb, type Loopback, serve } from "../../kit/servers/web.ts";
import { LOCAL_NAMES, PRIVATE, PRIVATE_6, writeHosts } from "./address_attacks.ts";

const PUBLIC = "93.184.216.34";

let canary: Loopback;
let redirector: Loopback;

before(async () => {
  canary = await serve((_, response) => response.end("the secret of the canary"));
  redirector = await serve((request, response) => {
    const url = new URL(request.url ?? "", "http://redirector.test");
    const hops = Number(url.searchParams.get("hops") ?? 0);
    const to = url.searchParams.get("to") ?? "";
    const next = `/?hops=${hops - 1}&to=${encodeURIComponent(to)}`;
    const location = Buffer.from(hops > 0 ? next : to).toString("latin1");
    response.writeHead(302, { location }).end();
  });
});

after(() => Promise.all([canary.close(), redirector.close()]));

/** Creates access to the web that does not leave this machine, and records the addresses of its connections. */
function createWatchedWeb(options: { resolve?: () => Promise<string[]>; allow?: string[] } = {}) {
  const connected: string[] = [];
  const connect = createConnect();
  const web = createTestWeb({
    resolve: () => Promise.reject(new Error("no name may be resolved")),
    ...options,
    connect(request: PageRequest) {
      connected.push(request.address);
      return request.address === PUBLIC
        ? Promise.reject(new Error("the address is unreachable"))
        : connect(request);
    },
  });
  return { web, connected };
}

async function assertRejected(work: Promise<unknown>, what: string): Promise<FetchError> {
  const failure = await work.then(() => undefined, (error: unknown) => error);
  assert.ok(failure instanceof FetchError, `${what}: ${failure}`);
  return failure;
}

test("fetchPage() reaches the canary on an allowed host", async () => {
  const { web } = createWatchedWeb({ allow: [canary.host] });
  const { content } = await web.fetchPage(`http://${canary.host}/`);
  assert.deepEqual(content, { type: "text", text: "the secret of the canary" });
  assert.equal(canary.paths.length, 1);
  canary.paths.length = 0;
});

const hosts = [...PRIVATE.flatMap(writeHosts), ...PRIVATE_6.map((address) => `[${address}]`), ...LOCAL_NAMES];

test("fetchPage() rejects a private address in any notation", async () => {
  assert.ok(hosts.length > 1000);
  const { web, connected } = createWatchedWeb();
  for (const host of hosts) {
    for (const scheme of ["http", "https"]) {
      const url = `${scheme}://${host}:${canary.port}/`;
      const { code, message } = await assertRejected(web.fetchPage(url), url);
      assert.ok(code === "url_not_allowed" || code === "invalid_tool_input", `${url}: ${message}`);
    }
  }
  assert.deepEqual(connected, []);
  assert.deepEqual(canary.paths, []);
});

test("fetchPage() rejects a redirect to a private address in any notation", async () => {
  const { web, connected } = createWatchedWeb({ allow: [redirector.host] });
  for (const host of hosts.filter((host) => !/[\0\t]/.test(host))) {
    const to = encodeURIComponent(`http://${host}:${canary.port}/`);
    await assertRejected(web.fetchPage(`http://${redirector.host}/?to=${to}`), host);
  }
  assert.deepEqual(new Set(connected), new Set(["127.0.0.1"]), "only the redirecting host receives requests");
  assert.equal(connected.length, redirector.paths.length);
  assert.deepEqual(canary.paths, []);
});

test("fetchPage() rejects other schemes", async () => {
  const { web, connected } = createWatchedWeb();
  const schemes = ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:text/plain,x"];
  for (
    const url of [
      ...schemes,
      "javascript:1",
      "blob:http://a/b",
      "ws://example.com/",
      "//example.com",
      "/",
      "",
    ]
  ) {
    await assertRejected(web.fetchPage(url), url);
  }
  assert.deepEqual(connected, []);
});

test("fetchPage() rejects a name if one of its addresses is private", async () => {
  for (
    const address of [
      ...PRIVATE,
      ...PRIVATE_6,
      ...PRIVATE.map((four) => `::ffff:${four}`),
      "fe80::1%eth0",
      "",
      "x",
    ]
  ) {
    for (const addresses of [[address], [PUBLIC, address], [address, PUBLIC]]) {
      const { web, connected } = createWatchedWeb({ resolve: () => Promise.resolve(addresses) });
      const { message } = await assertRejected(
        web.fetchPage("https://rebind.example.com/"),
        addresses.join(),
      );
      assert.equal(message.includes("127.0.0.1"), false);
      assert.deepEqual(connected, [], addresses.join());
    }
  }
});

test("fetchPage() resolves a name once, so that a second answer has no effect", async () => {
  const answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]];
  let lookups = 0;
  const resolve = () => Promise.resolve(answers[lookups++] ?? []);
  const { web, connected } = createWatchedWeb({ resolve });
  await assertRejected(web.fetchPage(`http://rebind.example.com:${canary.port}/`), "rebinding");
  assert.deepEqual(connected, [PUBLIC]);
  assert.equal(lookups, 1);
  assert.deepEqual(canary.paths, []);
});

test("fetchPage() stops redirect chains before the loopback address, and endless ones", async () => {
  const { web } = createWatchedWeb({ allow: [redirector.host] });
  for (const hops of [0, 1, 2, 4]) {
    const to = encodeURIComponent(`http://127.0.0.1:${canary.port}/`);
    const failure = await assertRejected(
      web.fetchPage(`http://${redirector.host}/?hops=${hops}&to=${to}`),
      `${hops}`,
    );
    assert.equal(failure.code, "url_not_allowed");
  }
  redirector.paths.length = 0;
  const { code } = await assertRejected(web.fetchPage(`http://${redirector.host}/?hops=1000`), "endless");
  assert.equal(code, "url_not_accessible");
  assert.equal(redirector.paths.length, 6);
  assert.deepEqual(canary.paths, []);
});

test("fetchPage() allows a listed host only at its port and name", async () => {
  const { web, connected } = createWatchedWeb({ allow: [`127.0.0.1:${canary.port}`, "intranet.corp:8080"] });
  const others = [
    `http://127.0.0.1:${redirector.port}/`,
    `http://localhost:${canary.port}/`,
    "http://intranet.corp:8081/",
  ];
  const names = [
    `http://127.0.0.1:${canary.port}@127.0.0.2/`,
    "http://intranet.corp.:8080/",
    "http://x.intranet.corp:8082/",
  ];
  for (const url of [...others, ...names, "http://intranet.corp/", `http://127.0.0.2:${canary.port}/`]) {
    await assertRejected(web.fetchPage(url), url);
  }
  assert.deepEqual(connected, []);
});

test("isPublicAddress() accepts addresses of the public internet only", () => {
  for (
    const address of [
      "8.8.8.8",
      PUBLIC,
      "1.1.1.1",
      "223.255.255.1",
      "2606:4700::1111",
      "2a00:1450:4001:81b::200e",
    ]
  ) {
    assert.equal(isPublicAddress(address), true, address);
  }
  const carried = PRIVATE.flatMap((
    four,
  ) => [`::ffff:${four}`, `::${four}`, `64:ff9b::${four}`, `::ffff:0:${four}`]);
  for (
    const address of [
      ...PRIVATE,
      ...PRIVATE_6,
      ...carried,
      "",
      "localhost",
      "8.8.8",
      "::ffff:8.8.8.8",
      "1.1.1.1/8",
    ]
  ) {
    assert.equal(isPublicAddress(address), false, address);
  }
});
