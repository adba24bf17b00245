// A bare pass-through: `RUNTIME pass_through.ts UPSTREAM_URL`. It prints its URL.

import { type Handler, listen, readArgument } from "./listen.ts";

const upstream = readArgument();

const handler: Handler = async (request) => {
  if (request.method !== "POST") return new Response("ok");
  const headers = { "content-type": "application/json" };
  const body = await request.arrayBuffer();
  const answer = await fetch(upstream + new URL(request.url).pathname, { method: "POST", headers, body });
  const type = answer.headers.get("content-type") ?? "application/json";
  return new Response(answer.body, { status: answer.status, headers: { "content-type": type } });
};

console.log(`http://127.0.0.1:${await listen(handler)}`);
