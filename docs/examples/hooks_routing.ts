// Routing by code: short questions without tools go to the small model, all else to the one that was asked for.
import { createGateway, type Gateway } from "../../mod.ts";

const SMALL_CHARS = 2000;

const gateway: Gateway = createGateway({
  settings: { ANTHROPIC_SMALL_FAST_MODEL: "demo/echo" },
  hooks: {
    onRequest({ message }) {
      const isSmall = message["tools"] === undefined && JSON.stringify(message.messages).length < SMALL_CHARS;
      return isSmall ? { model: "small" } : undefined;
    },
  },
});

export default { fetch: gateway.fetch };
