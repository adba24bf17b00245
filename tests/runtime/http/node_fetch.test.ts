import assert from "node:assert/strict";
import { createServer } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { createNodeFetch } from "../../../lib/runtime/http/node_fetch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const onNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** Statuses of an upstream, and the statuses and bodies that are returned. */
const STATUSES: [sent: string, status: number, body: string | null][] = [
  ["200 OK", 200, "text"],
  ["204 No Content", 204, null],
  ["304 Not Modified", 304, null],
  ["599 Odd", 599, "text"],
  ["799 Odd", 502, "text"],
];

for (const encoding of ["", "content-encoding: identity\r\n"]) {
  for (const [sent, status, body] of STATUSES) {
    test(
      `createNodeFetch() returns ${status} for ${sent}, ${
        encoding === "" ? "without an encoding" : "encoded"
      }`,
      {
        skip: !onNode,
      },
      async () => {
        const hasBody = body !== null;
        const server = createServer((socket) => {
          const head = `HTTP/1.1 ${sent}\r\n${encoding}${
            hasBody ? "content-length: 4\r\n" : ""
          }connection: close\r\n`;
          socket.once("data", () => socket.end(`${head}\r\n${body ?? ""}`));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        try {
          const response = await createNodeFetch({ connectTimeout: 10 })(
            `http://127.0.0.1:${toPort(server)}/`,
          );
          assert.equal(response.status, status);
          assert.equal(response.body === null ? null : await response.text(), body);
        } finally {
          server.close();
        }
      },
    );
  }
}
