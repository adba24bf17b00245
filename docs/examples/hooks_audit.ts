// An audit log: one line of JSON for each answer, with what it used. A stream is closed after the line is written.
import { createGateway, type Gateway } from "../../mod.ts";

const gateway: Gateway = createGateway({
  hooks: {
    timeoutMs: 2000,
    async onResponse({ requestId, client, request, outcome, message, error, milliseconds }) {
      const { input_tokens: input, output_tokens: output } = message?.usage ?? {};
      const line = { requestId, client, model: request.model, outcome, input, output, milliseconds, error };
      await Promise.resolve(console.log(JSON.stringify(line))); // or a database
    },
  },
});

export default { fetch: gateway.fetch };
