import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import process from "node:process";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createBunFetch } from "../../../lib/runtime/http/bun_fetch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const onBun = process.versions.bun !== undefined;

// Bun reads the variable when it starts, and ignores the second value.
for (const variable of ["", "70000"]) {
  const how = variable === "" ? "" : ` with BUN_CONFIG_MAX_HTTP_REQUESTS=${variable}`;
  test(
    `createBunFetch() opens more connections than Bun's fetch${how}`,
    { skip: !onBun, timeout: 60_000 },
    async () => {
      process.env.BUN_CONFIG_MAX_HTTP_REQUESTS = variable;
      const fetch = createBunFetch();
      delete process.env.BUN_CONFIG_MAX_HTTP_REQUESTS;
      const open: ServerResponse[] = [];
      let onAllOpen = () => {};
      const allOpen = new Promise<void>((resolve) => onAllOpen = resolve);
      const server = createServer((_request, response) => {
        response.writeHead(200, { "content-type": "text/plain" }).write("begun ");
        if (open.push(response) === 400) onAllOpen();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${toPort(server)}/`;
      const texts = Array.from({ length: 400 }, () => readText(fetch, url));
      await allOpen;
      for (const response of open) response.end("ended");
      assert.deepEqual(await Promise.all(texts), Array(400).fill("begun ended"));
      await new Promise((resolve) => server.close(resolve));
    },
  );
}

for (const maxFetches of [0, 1]) {
  const what = maxFetches === 0 ? "by node:http" : "by Bun's fetch";
  test(`createBunFetch() sends a request ${what}`, { skip: !onBun, timeout: 60_000 }, async () => {
    const requests: string[] = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const piece of request.setEncoding("utf8")) body += piece;
      requests.push([request.method, request.url, request.headers["x-name"], body].join(" "));
      if (request.url === "/redirect") return response.writeHead(302, { location: "/" }).end("moved");
      if (request.url === "/cut") return response.writeHead(200).write("half", () => response.destroy());
      if (request.url === "/wait") return response.writeHead(200).write("begun");
      response.writeHead(429, { "retry-after": "3" }).end("slow down");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${toPort(server)}`;
    const fetch = createBunFetch({ maxFetches });
    // More requests than concurrent fetches: each of them ends.
    for (let nth = 0; nth < 3; nth++) {
      const answer = await fetch(`${url}/a?b=1`, {
        method: "POST",
        headers: { "x-name": "v" },
        body: "größe",
      });
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "3"]);
      assert.equal(await readBody(answer), "slow down");
    }
    assert.deepEqual(requests, Array(3).fill("POST /a?b=1 v größe"));
    const moved = await fetch(`${url}/redirect`, { redirect: "manual" });
    assert.equal(moved.status, 302);
    await moved.body?.cancel();
    await assert.rejects(async () => await readBody(await fetch(`${url}/cut`)));
    const controller = new AbortController();
    const waiting = await fetch(`${url}/wait`, { signal: controller.signal });
    const text = readBody(waiting);
    controller.abort(new Error("left"));
    await assert.rejects(text);
    await assert.rejects(fetch(`${url}/a`, { signal: controller.signal }));
    server.close();
    server.closeAllConnections();
  });
}

for (const maxFetches of [0, 1]) {
  const what = maxFetches === 0 ? "by node:http" : "by Bun's fetch";
  test(`createBunFetch() reads odd statuses ${what}`, { skip: !onBun, timeout: 60_000 }, async () => {
    const sent: Promise<void>[] = [];
    const server = createServer((request, response) => {
      if (request.url === "/205") {
        const body = "x".repeat(20_000_000);
        response.writeHead(205);
        sent.push(new Promise((resolve) => response.on("close", resolve)));
        return response.end(body);
      }
      response.writeHead(999, { "content-encoding": "gzip" }).end(gzipSync("odd"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${toPort(server)}`;
    const fetch = createBunFetch({ maxFetches });
    const odd = await fetch(`${url}/`);
    assert.deepEqual([odd.status, await readBody(odd)], [502, "odd"]);
    const reset = await fetch(`${url}/205`);
    assert.deepEqual([reset.status, reset.body], [205, null]);
    await Promise.all(sent); // the connection is not kept
    server.close();
    server.closeAllConnections();
  });
}

async function readText(fetch: typeof globalThis.fetch, url: string): Promise<string> {
  return await readBody(await fetch(url));
}

async function readBody({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  assert.ok(reader);
  const decoder = new TextDecoder();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value);
  }
  return text;
}
