// Run by a test: the embedded model lists the folder in the first argument by a tool, and the program prints the
// answer.
import { argv } from "node:process";
import { createGateway } from "../../../lib/gateway.ts";
import { dig, objects } from "../../kit/json.ts";

const key = "key-of-alice-1234567890";
const gateway = createGateway({
  settings: { TOOLS: "files-read", WORKSPACE_ROOT: argv[2], GATEWAY_API_KEYS: key },
});
const response = await gateway.fetch(
  new Request("http://localhost/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key, "x-gateway-tools": "LS" },
    body: JSON.stringify({
      model: "demo/echo",
      max_tokens: 64,
      messages: [{ role: "user", content: "Call LS" }],
    }),
  }),
);
const message: unknown = await response.json();
console.log(objects(dig(message, "content")).at(-1)?.text ?? JSON.stringify(message));
