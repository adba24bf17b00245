export type {
  AnswerReader,
  Dialect,
  ListPrice,
  ModelFacts,
  ServerSentEvent,
  TurnContext,
} from "./dialect.ts";
export {
  HOST_NAMES,
  type HostName,
  type Language,
  type Preset,
  toDialect,
  toHost,
  toKeyHeader,
} from "./hosts.ts";
export { UpstreamError } from "./errors/upstream_error.ts";
