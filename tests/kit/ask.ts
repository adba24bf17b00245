import type { Settings } from "../../lib/config/settings.ts";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import { FakeClock } from "./clock.ts";
import type { Json } from "./json.ts";

/** What a gateway in a test is made of. */
export interface TestGatewayOptions {
  fetch: typeof fetch;
  settings?: Settings;
  /** One that stands still, where nothing is said. */
  clock?: FakeClock;
}

/** Creates a gateway with a key of its own. */
export function createTestGateway(
  { fetch, settings = {}, clock = new FakeClock() }: TestGatewayOptions,
): Gateway {
  return createGateway({ settings: { OPENROUTER_API_KEY: "sk-or-test", ...settings }, fetch, clock });
}

/** What a client says beside its body, and how it asks where that is not for a message. */
export interface AskOptions extends TestGatewayOptions {
  headers?: Record<string, string>;
  method?: string;
  path?: string;
}

/** Asks a gateway of its own, for a message where nothing else is said, through the front door. */
export function askGateway(
  body: Json,
  { headers = {}, method = "POST", path = "/v1/messages", ...options }: AskOptions,
): Promise<Response> {
  const said = { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
  const init = { method, ...(method === "POST" ? said : { headers }) };
  return createTestGateway(options).fetch(new Request(`http://gateway.test${path}`, init));
}
