import { getRequestListener } from "@hono/node-server";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import {
  type BodySink,
  createDirectResponse,
  type PulledBody,
} from "../../../lib/runtime/http/direct_body.ts";
import { toNodeListener } from "../../../lib/runtime/http/node_server.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const onNode = !("Bun" in globalThis) && !("Deno" in globalThis);

/** A body of several pieces, each of which arrives in a separate task. */
class Pieces implements PulledBody {
  readonly #pieces: string[];
  #sink: BodySink | undefined;
  #hasArrived = false;
  ended = false;

  constructor(pieces: readonly string[]) {
    this.#pieces = [...pieces];
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  write(): boolean {
    if (!this.#hasArrived) return false;
    this.#hasArrived = false;
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#sink?.write(piece);
    else this.#end();
    return true;
  }

  async ready(): Promise<void> {
    await nextTask();
    this.#hasArrived = true;
  }

  #end(): void {
    this.ended = true;
    this.#sink?.close();
  }

  async cancel(): Promise<void> {
    this.ended = true;
  }
}

/** Returns all bytes that a server of such bodies sends for the requests of one connection. */
async function exchange(
  pieces: readonly string[],
  requests: string,
  toListener = toNodeListener,
): Promise<string> {
  const server = createServer(toListener(async () => createDirectResponse(new Pieces(pieces), {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const socket = connect(toPort(server), "127.0.0.1").setEncoding("utf8");
    socket.write(requests);
    let received = "";
    for await (const text of socket) received += text;
    return received;
  } finally {
    server.close();
  }
}

const bodyOf = (response: string) => response.slice(response.indexOf("\r\n\r\n") + 4);

test("toNodeListener() sends a pulled body in HTTP chunks", { skip: !onNode }, async () => {
  const response = await exchange(
    ["one", "", "zwölf€"],
    "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  );
  assert.match(response, /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*transfer-encoding: chunked\r\n/i);
  assert.equal(bodyOf(response), "3\r\none\r\n9\r\nzwölf€\r\n0\r\n\r\n");
});

test("toNodeListener() sends the next response of a connection", { skip: !onNode }, async () => {
  const get = "GET / HTTP/1.1\r\nhost: a\r\n";
  const responses = await exchange(["one"], `${get}\r\n${get}connection: close\r\n\r\n`);
  assert.equal(responses.split("3\r\none\r\n0\r\n\r\n").length, 3, responses);
});

test("toNodeListener() sends no HTTP chunks to a client of HTTP/1.0", { skip: !onNode }, async () => {
  const response = await exchange(["one", "two"], "GET / HTTP/1.0\r\nhost: a\r\n\r\n");
  assert.doesNotMatch(response, /transfer-encoding/i);
  assert.equal(bodyOf(response), "onetwo");
});

/** True on a Node.js that reads TypeScript: an older one runs compiled tests, which cannot load a module again. */
const loadsAgain = onNode && Boolean(process.features.typescript);

test("toNodeListener() works in a program that has replaced Response", { skip: !loadsAgain }, async () => {
  // It replaces the global `Response` before the module is loaded, as another server in the process would.
  getRequestListener(() => new Response());
  const module = "../../../lib/runtime/http/node_server.ts?later";
  const { toNodeListener }: typeof import("../../../lib/runtime/http/node_server.ts") = await import(module);
  const get = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const response = await exchange(["one"], get, toNodeListener);
  assert.equal(bodyOf(response), "3\r\none\r\n0\r\n\r\n");
});
