import type { Access } from "../access/access.ts";
import type { McpServer } from "../config/mcp/mcp_config.ts";
import type { SettingsInForce } from "../config/describe.ts";
import type { Config } from "../config/settings.ts";
import type { BodyMeter } from "../limits/body_meter.ts";
import type { Ledger } from "../limits/ledger/ledger.ts";
import type { KeyStore } from "../keys/key_store.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import type { DeviceCodes } from "./sign_in/device_codes.ts";
import type { Hooks } from "./hooks.ts";
import type { Operations } from "./operator/operations.ts";
import type { UpstreamChecks } from "../upstreams/upstream_check.ts";
import type { OpenCalls } from "./mcp_server/open_calls.ts";
import type { MessageContext } from "../turns/context.ts";
import type { BatchStore } from "../durable/batch_store.ts";
import type { Contents } from "../durable/contents/contents.ts";
import type { Engine } from "../durable/engine.ts";
import type { FileStore } from "../durable/file_store.ts";
import type { DataDirCheck } from "../durable/data_dir_check.ts";
import type { DiskUsage } from "../durable/usage.ts";
import type { Steps } from "../anthropic/steps.ts";
import type { Caller } from "../access/caller.ts";
import type { KeptAnswers } from "./idempotency/kept_answers.ts";

/** Dependencies of the endpoints. */
export interface GatewayContext extends MessageContext {
  /** The settings, without the gateway's keys. Only `access` holds those, as digests. */
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
  /** The settings in force, as the operator's page shows them. */
  settings: SettingsInForce;
  access: Access;
  operations: Operations;
  upstreamChecks: UpstreamChecks;
  shutdown: Shutdown;
  limits: Limiter;
  /** Spend by UTC day. */
  ledger: Ledger;
  /** Keys made while the gateway runs, sign-ins, and last uses. */
  keyStore: KeyStore;
  /** Sign-ins that wait for their user. */
  deviceCodes: DeviceCodes;
  /** Functions of the embedding program. */
  hooks: Hooks;
  /** Counts the request bodies that are in memory. */
  bodies: BodyMeter;
  /** The servers of `MCP_CONFIG`. */
  mcpServers: readonly McpServer[];
  /** Answers of requests with an idempotency key. */
  keptAnswers: KeptAnswers;
  /** Returns the recorded steps of an answer; undefined without a store. */
  startSteps?: ((run: string) => Steps) | undefined;
  /** Message batches; undefined without a store. */
  batches?: BatchServices | undefined;
  /** Files of clients; undefined without a store. */
  files?: FileServices | undefined;
  /** Does the work that outlives a request, with any gateway; undefined if each gateway does its own. */
  engine?: Engine | undefined;
  /** Checks `DATA_DIR`; undefined without it. */
  dataDir?: DataDirCheck | undefined;
  /** Calls of MCP clients that run, and sessions that have ended. */
  mcpCalls: OpenCalls;
}

/** What answers requests about batches. */
export interface BatchServices {
  store: BatchStore;
  usage: DiskUsage;
  runner: {
    /** Looks for work now; with the key of a caller for the batches of an owner. */
    wake(owner?: string, caller?: Caller): void;
  };
}

/** What answers requests about files. */
export interface FileServices {
  store: FileStore;
  contents: Contents;
  usage: DiskUsage;
}
