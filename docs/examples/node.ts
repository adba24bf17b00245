// PORT=4000 node --import tsx docs/examples/node.ts
import { createServer } from "node:http";
import process from "node:process";
import { getRequestListener } from "@hono/node-server";
import { createGateway } from "../../mod.ts";

const hostname = "127.0.0.1";
const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" }, host: hostname });

const server = createServer(getRequestListener(gateway.fetch));
server.listen(Number(process.env.PORT ?? 4000), hostname, () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://${hostname}:${address?.port}`);
});

process.once("SIGTERM", async () => {
  await gateway.stop();
  server.close();
});
