import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { createFetch } from "../../../lib/runtime/http/fetch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const ENCODERS = { gzip: createGzip, deflate: createDeflate, br: createBrotliCompress, identity: undefined };

test("createFetch() decodes compressed answers as they arrive, although it does not request them", async () => {
  for (const [encoding, createEncoder] of Object.entries(ENCODERS)) {
    let sendRest = () => {};
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": encoding });
      const encoder = createEncoder?.();
      encoder?.pipe(response);
      const body = encoder ?? response;
      body.write("data: first\n\n");
      encoder?.flush();
      sendRest = () => body.end("data: second\n\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const fetch = createFetch({ connectTimeout: 10 });
    const answer = await fetch(`http://127.0.0.1:${toPort(server)}/`, {
      headers: { "accept-encoding": "identity" },
    });
    const reader = answer.body?.getReader();
    assert.ok(reader);
    const decoder = new TextDecoder();
    let text = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += decoder.decode(read.value, { stream: true });
      if (text === "data: first\n\n") sendRest();
    }
    assert.equal(text, "data: first\n\ndata: second\n\n", encoding);
    await new Promise((resolve) => server.close(resolve));
  }
});
