// A guardrail: refuses messages that contain a private key, and never sends e-mail addresses to a model.
import { createGateway, type Gateway, type RequestEvent } from "../../mod.ts";

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const EMAIL = /[\w.+-]+@[\w-]+\.[\w.]+/g;

const gateway: Gateway = createGateway({
  settings: { ANTHROPIC_MODEL: "openai/gpt-5" },
  hooks: {
    onRequest({ message }: RequestEvent) {
      const text = JSON.stringify(message.messages);
      if (PRIVATE_KEY.test(text)) return { refuse: "This message contains a private key" };
      if (!text.match(EMAIL)) return undefined;
      return { message: { ...message, messages: JSON.parse(text.replace(EMAIL, "[e-mail]")) } };
    },
  },
});

export default { fetch: gateway.fetch };
