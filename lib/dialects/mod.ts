export type {
  AnswerReader,
  Dialect,
  DialectInfo,
  ListPrice,
  ModelFacts,
  ServerSentEvent,
  TurnContext,
} from "./dialect.ts";
export {
  appliesSystemChanges,
  countsTokens,
  dialectFor,
  type HostFacts,
  hostFacts,
  keyHeader,
  runsServerTool,
  type UpstreamKind,
} from "./hosts.ts";
export { EFFORT_SHARES } from "./request/efforts.ts";
export { findDeferredTools } from "./offered_tools/deferred_tools.ts";
export { knownAdjustments } from "./known_adjustments.ts";
export { UpstreamError } from "./errors/upstream_error.ts";
