// PORT=4000 bun run docs/examples/bun.ts
import process from "node:process";
import { createGateway } from "../../mod.ts";

const hostname = "127.0.0.1";
const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" }, host: hostname });

export default {
  port: Number(process.env.PORT ?? 4000),
  hostname,
  idleTimeout: 0, // by default Bun closes streams that are silent for ten seconds
  development: false, // by default Bun shows clients the stack of an error
  fetch: gateway.fetch,
};
