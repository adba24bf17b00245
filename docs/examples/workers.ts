// A module for Workers: its settings are bindings, and the gateway has a path of its own.
import { createGateway, type Gateway } from "../../mod.ts";

interface Bindings {
  OPENROUTER_API_KEY: string;
  GATEWAY_API_KEYS: string;
}

let gateway: Gateway | undefined;

export default {
  async fetch(request: Request, { OPENROUTER_API_KEY, GATEWAY_API_KEYS }: Bindings): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/v1/")) return new Response("Not found", { status: 404 });
    gateway ??= createGateway({ settings: { OPENROUTER_API_KEY, GATEWAY_API_KEYS } });
    return await gateway.fetch(request);
  },
};
