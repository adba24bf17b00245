// The gateway below a path of a Hono application: /ai/v1/messages. Runs wherever Hono does.
import { Hono } from "hono";
import { createGateway } from "../../mod.ts";

const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" } });

const app = new Hono();
app.get("/", (c) => c.text("Messages API at /ai/v1/messages"));
app.mount("/ai", gateway.fetch);

export default app;
