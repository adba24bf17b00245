import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { NameCache } from "../../base/name_cache.ts";
import { findChange } from "../adjustments/adjustment.ts";
import { isClaude } from "../reasoning/origin.ts";
import { ChatAnswerReader } from "./answer/reader.ts";
import type { ChatFeatures, HostContext } from "./chat.ts";
import { withModelQuirks } from "./model_quirks.ts";
import { toChatRequest } from "./request/body.ts";
import { collectToolNames } from "../offered_tools/tool_names.ts";

/** True if tool calls in the text are parsed. The setting overrides the host's feature. */
function mayCallInText(
  { callsInText }: ChatFeatures,
  { toolCallsInText: setting = "auto" }: TurnContext,
): boolean {
  return setting === "on" || (setting === "auto" && callsInText);
}

/** Returns the features that refusals of the host or model have shown to be others. */
function learnedFeatures({ adjustments }: TurnContext): Partial<ChatFeatures> {
  return {
    ...(findChange(adjustments, "return_reasoning") && { reasoningContent: "always" as const }),
    ...(findChange(adjustments, "drop_strict") && { strictSchemas: "none" as const }),
    ...(findChange(adjustments, "drop_response_format") && { format: "none" as const }),
  };
}

/** Maximum number of models whose features are kept. */
const MAX_MODELS = 100;

/** Creates the dialect of chat completions for a host with these features, OpenAI or a compatible one. */
export function createChatDialect(features: ChatFeatures): Dialect {
  const quirks = new NameCache<ChatFeatures>(MAX_MODELS);
  const createContext = (request: MessagesRequest, turn: TurnContext): HostContext => ({
    ...turn,
    features: {
      ...quirks.get(turn.model, (model) => withModelQuirks(features, model)),
      ...(turn.adjustments?.length && learnedFeatures(turn)),
      callsInText: !isClaude(turn.model) && mayCallInText(features, turn),
      cacheControl: features.cacheControl && turn.cacheControl !== false,
    },
    names: collectToolNames(request),
  });
  return {
    name: "openai",
    toBody: (request, turn) =>
      toChatRequest(request, { ...createContext(request, turn), sentReasoning: new Set() }),
    createReader: (request, turn) => new ChatAnswerReader(request, createContext(request, turn)),
  };
}
