// PORT=4000 deno run --allow-net --allow-env=PORT docs/examples/deno.ts
import { createGateway } from "../../mod.ts";

const hostname = "127.0.0.1";
const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" }, host: hostname });

const server = Deno.serve({ port: Number(Deno.env.get("PORT") ?? 4000), hostname }, gateway.fetch);

Deno.addSignalListener("SIGTERM", async () => {
  await gateway.stop();
  await server.shutdown();
});
