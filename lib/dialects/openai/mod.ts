import type { Dialect } from "../dialect.ts";
import { ChatAnswerReader } from "./answer.ts";
import type { ChatFeatures } from "./chat.ts";
import { toChatRequest } from "./request.ts";

/** Chat completions, as OpenAI and its many imitators speak them, with what the host takes beyond that. */
export function createChatDialect(features: ChatFeatures): Dialect {
  return {
    name: "openai",
    path: "/chat/completions",
    toBody: (request, context) => toChatRequest(request, { ...context, features, told: new Set() }),
    createReader: (request, context) => new ChatAnswerReader(request, { ...context, features }),
  };
}
