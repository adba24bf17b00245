import assert from "node:assert/strict";
import { createTestGateway } from "../kit/gateway.ts";
import type { Json } from "../kit/json.ts";
import { API_SETTINGS, minimalRequest, type UpstreamApi } from "../kit/requests/request.ts";

/** Sends a request whose upstream body has these pieces, and checks that the gateway is idle afterwards. */
export async function askUntilIdle(
  api: UpstreamApi,
  body: readonly Uint8Array[],
  fields: Json,
  type = "text/event-stream",
): Promise<Response> {
  const { upstream, clock, post } = createTestGateway({
    settings: API_SETTINGS[api],
    upstream: { body, headers: { "content-type": type } },
  });
  const response = await post(minimalRequest(api, fields));
  const answer = new Response(await response.text(), response);
  assert.ok(upstream.idle, "the upstream is idle");
  assert.equal(clock.waiting, 0, "no timer is left");
  return answer;
}
