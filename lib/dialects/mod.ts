export { anthropic } from "./anthropic.ts";
export type { AnswerReader, Dialect, ServerSentEvent, TurnContext } from "./dialect.ts";
export { openrouter } from "./openrouter.ts";
