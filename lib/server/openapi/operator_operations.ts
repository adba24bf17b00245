import * as v from "valibot";
import { SERVER_STATES } from "../mcp_admin/server_state.ts";
import { json, named, type Operation } from "./operation.ts";

const Text = v.string();
const Count = v.number();
const Nullable = v.nullable(Text);
const Counts = v.record(Text, Count);
const Open = v.looseObject({});
const GATEWAY = { service: Text, version: Text };
const Runtime = v.object({ name: Text, version: Text });

const Folder = v.object({ status: v.picklist(["off", "on", "failed"]), problem: v.optional(Text) });

const Health = v.object({
  ...GATEWAY,
  status: v.picklist(["healthy", "degraded"]),
  timestamp: Text,
});

const DetailedHealth = v.object({
  ...GATEWAY,
  status: v.picklist(["healthy", "degraded"]),
  timestamp: Text,
  processing_time_ms: Count,
  services: v.object({
    upstreams: v.record(
      Text,
      v.object({
        status: v.picklist(["healthy", "unreachable", "key_rejected", "unchecked"]),
        key: v.picklist(["valid", "rejected", "not_set", "unknown"]),
        latency_ms: v.optional(Count),
        checked_at: v.optional(Text),
        error: v.optional(Text),
        code: v.optional(Text),
      }),
    ),
    aliases: v.record(
      Text,
      v.object({
        status: v.picklist(["healthy", "degraded", "unavailable"]),
        targets: v.array(v.object({
          target: Text,
          state: Text,
          failures: v.optional(Count),
          last_status: v.optional(Count),
          retry_in_s: v.optional(Count),
          group: Count,
          weight: Count,
        })),
      }),
    ),
    tools: v.object({ status: v.picklist(["disabled", "ready", "failed"]), groups: v.array(Text) }),
    mcp_servers: v.record(
      Text,
      v.object({ status: v.picklist(SERVER_STATES), health: Text, restarts: Count }),
    ),
    storage: v.object({
      errors: v.object({ storage: v.picklist(["disk", "memory"]), problem: v.optional(Text) }),
      bodies: Folder,
      recordings: Folder,
      state: v.picklist(["memory", "disk"]),
      data: v.object({ ...Folder.entries, bytes: v.optional(Count) }),
    }),
    unhandled_errors: Count,
  }),
  configuration: v.object({
    environment: Text,
    big_model: Text,
    small_model: Text,
    api_key_configured: v.boolean(),
    client_keys_required: v.boolean(),
    upstream_dialect: Text,
    validation: Text,
  }),
  dependencies: v.object({ runtime: Runtime }),
});

const Status = v.object({
  ...GATEWAY,
  status: v.literal("ok"),
  environment: Text,
  timestamp: Text,
  uptime_seconds: Count,
  memory_usage: v.nullable(Counts),
  runtime: Runtime,
  requests: v.optional(v.object({
    total: Count,
    failed: Count,
    expected: Count,
    open: Count,
    failures: v.object({
      limit: Count,
      access: Count,
      client: Count,
      upstream: Count,
      store: Count,
      gateway: Count,
    }),
  })),
  unhandled_errors: v.optional(Count),
  upstreams: v.optional(
    v.array(v.object({ name: Text, key_configured: v.boolean(), models_known: Count })),
  ),
  learned: v.optional(v.array(Open)),
});

const StoredError = v.object({
  timestamp: Text,
  correlation_id: Text,
  error_type: Text,
  error_message: Text,
  stack_trace: Text,
  request: Open,
  response: v.object({ status_code: Count, headers: v.record(Text, Text), body: Open }),
  context: Open,
  environment: v.object({ ...GATEWAY, pid: Count }),
});

/** The endpoints of health, status, metrics, errors and the service itself. */
export const OPERATOR_OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /": {
    summary: "Names the gateway, its version and its endpoints",
    answer: json("Service", v.object({ ...GATEWAY, description: Text, endpoints: v.array(Text) })),
  },
  "GET /openapi.json": { summary: "Returns this document", answer: json("Document", Open) },
  "GET /api/hello": {
    summary: "Greets Claude Code, which checks its base URL so",
    answer: json("Hello", v.object({ message: Text })),
  },
  "GET /health": {
    summary: "Tells that the process answers; asks no upstream",
    answer: json("Health", Health),
  },
  "GET /health/detailed": {
    summary: "Checks upstreams, keys, tools, MCP servers and folders",
    answer: json("DetailedHealth", DetailedHealth),
  },
  "GET /status": {
    summary: "Returns uptime, memory and runtime and, for the operator, counters and upstreams",
    answer: json("Status", Status),
  },
  "GET /metrics": {
    summary: "Returns numbers since the start, for Prometheus",
    answer: { media: "text/plain" },
  },
  "GET /tool-metrics": {
    summary: "Returns numbers and durations of tool calls",
    answer: json(
      "ToolMetrics",
      v.object({
        status: v.literal("ok"),
        message: Text,
        version: Text,
        timestamp: Text,
        tool_execution: v.object({
          enabled: v.boolean(),
          metrics: v.object({
            total_executions: Count,
            successful_executions: Count,
            failed_executions: Count,
            success_rate: Count,
            average_execution_times: Counts,
            tool_usage_count: Counts,
            error_breakdown: Counts,
            max_concurrent_executions: Count,
          }),
          max_concurrent_tools: Count,
          execution_timeout: Count,
          rate_limit_window: Count,
          rate_limit_max_requests: Count,
        }),
      }),
    ),
  },
  "GET /debug/errors/recent": {
    summary: "Returns the newest errors",
    query: { count: "1 to 100, by default 10" },
    answer: json(
      "RecentErrors",
      v.object({ count: Count, log_file: Nullable, errors: v.array(named("StoredError", StoredError)) }),
    ),
  },
  "GET /debug/errors/stats": {
    summary: "Counts the stored errors by type, upstream and endpoint",
    answer: json(
      "ErrorStats",
      v.object({
        total_errors: Count,
        time_range: v.object({ oldest: Nullable, newest: Nullable }),
        error_types: Counts,
        error_services: Counts,
        error_endpoints: Counts,
      }),
    ),
  },
  "GET /debug/errors/{id}": {
    summary: "Returns the error with a correlation id or a request id",
    answer: json("StoredError", StoredError),
  },
  "POST /debug/errors/cleanup": {
    summary: "Removes old errors",
    query: { days_to_keep: "1 to 30, by default 7" },
    answer: json("Cleanup", v.object({ status: v.literal("ok"), message: Text })),
  },
};
