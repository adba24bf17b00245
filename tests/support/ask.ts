import type { Settings } from "../../lib/config.ts";
import { createGateway, type Handler } from "../../lib/create_gateway.ts";
import { FakeClock } from "./clock.ts";
import type { Json } from "./json.ts";

/** What a gateway in a test is made of. */
export interface TestGatewayOptions {
  fetch: typeof fetch;
  settings?: Settings;
}

/** Creates a gateway with a key of its own, whose clock stands still. */
export function createTestGateway({ fetch, settings = {} }: TestGatewayOptions): Handler {
  return createGateway({
    settings: { OPENROUTER_API_KEY: "sk-or-test", ...settings },
    fetch,
    clock: new FakeClock(),
  });
}

/** Asks a gateway of its own for a message, through the front door. */
export function askGateway(
  body: Json,
  { headers = {}, ...options }: TestGatewayOptions & { headers?: Record<string, string> },
): Promise<Response> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
  return createTestGateway(options).fetch(new Request("http://gateway.test/v1/messages", init));
}
