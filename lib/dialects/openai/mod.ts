import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { isClaude } from "../reasoning/origin.ts";
import { ChatAnswerReader } from "./answer/reader.ts";
import type { ChatFeatures, HostContext } from "./chat.ts";
import { withModelQuirks } from "./model_quirks.ts";
import { toChatRequest } from "./request/body.ts";
import { collectToolNames } from "./tool_names.ts";

/** Whether calls of tools may come inside the text. */
function mayCallInText(
  { callsInText }: ChatFeatures,
  { toolCallsInText: setting = "auto" }: TurnContext,
): boolean {
  return setting === "on" || (setting === "auto" && callsInText);
}

/** Chat completions, as OpenAI and its many imitators speak them, with what the host takes beyond that. */
export function createChatDialect(features: ChatFeatures): Dialect {
  const createContext = (request: MessagesRequest, turn: TurnContext): HostContext => ({
    ...turn,
    features: {
      ...withModelQuirks(features, turn.model),
      callsInText: !isClaude(turn.model) && mayCallInText(features, turn),
      cacheControl: features.cacheControl && turn.cacheControl !== false,
    },
    names: collectToolNames(request),
  });
  return {
    name: "openai",
    path: "/chat/completions",
    toBody: (request, turn) =>
      toChatRequest(request, { ...createContext(request, turn), sentReasoning: new Set() }),
    createReader: (request, turn) => new ChatAnswerReader(request, createContext(request, turn)),
  };
}
