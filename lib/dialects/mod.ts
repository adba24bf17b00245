export { anthropic } from "./anthropic.ts";
export type { AnswerReader, Dialect, ModelFacts, ServerSentEvent, TurnContext } from "./dialect.ts";
export { openrouter } from "./openrouter.ts";
