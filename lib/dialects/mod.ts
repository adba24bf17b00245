export type {
  AnswerReader,
  Dialect,
  ListPrice,
  ModelFacts,
  ServerSentEvent,
  TurnContext,
} from "./dialect.ts";
export {
  countsTokens,
  dialectFor,
  type HostFacts,
  hostFacts,
  keyHeader,
  runsServerTool,
  type UpstreamKind,
} from "./hosts.ts";
export { UpstreamError } from "./errors/upstream_error.ts";
