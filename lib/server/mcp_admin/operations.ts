import * as v from "valibot";
import type { ServerControl } from "../../../tools/mcp/managed/managed_servers.ts";
import { ApiError, toApiError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import { readStatus, type ServersContext, type StatusBody, toIsoTime, toServerError } from "./status.ts";
import { readJsonBody } from "../read_json.ts";
import type { RoutedCall } from "../routed_call.ts";

/**
 * Answers `POST /v1/mcp/servers/{name}/start` when the server runs. The body is not read: no request names a command.
 *
 * @throws {ApiError} `not_found_error` if there is no such server; `conflict_error` if it runs; `api_error` with status
 * 502 and the reason if it cannot be started.
 */
export async function startServer({ gateway, params: { name = "" } }: RoutedCall): Promise<Response> {
  return Response.json(await operate(gateway, name, start));
}

/**
 * Answers `POST /v1/mcp/servers/{name}/stop` when all processes of the server have ended. With `?force=true` they are
 * killed at once.
 *
 * @throws {ApiError} `not_found_error` if there is no such server; `conflict_error` if it does not run.
 */
export async function stopServer({ request, gateway, params: { name = "" } }: RoutedCall): Promise<Response> {
  const force = readForce(request);
  return Response.json(await operate(gateway, name, (...call) => stop(...call, force)));
}

/**
 * Answers `POST /v1/mcp/servers/{name}/restart` when the server runs again. A server that does not run is started.
 *
 * @throws {ApiError} as {@linkcode startServer}, but not if the server runs.
 */
export async function restartServer(
  { request, gateway, params: { name = "" } }: RoutedCall,
): Promise<Response> {
  const force = readForce(request);
  return Response.json(await operate(gateway, name, (...call) => restart(...call, force)));
}

/**
 * Answers `POST /v1/mcp/servers/start`, which starts several servers at the same time. Failures are in the results.
 *
 * @throws {ApiError} `invalid_request_error` if the body is not `{"server_names": […]}`.
 */
export async function startServers(call: RoutedCall): Promise<Response> {
  const { server_names } = await readBody(call, StartBody);
  return await operateAll(call.gateway, server_names, start);
}

/**
 * Answers `POST /v1/mcp/servers/stop`, which stops several servers at the same time. Failures are in the results.
 *
 * @throws {ApiError} `invalid_request_error` if the body is not `{"server_names": […], "force"?}`.
 */
export async function stopServers(call: RoutedCall): Promise<Response> {
  const { server_names, force } = await readBody(call, StopBody);
  return await operateAll(call.gateway, server_names, (...stopCall) => stop(...stopCall, force));
}

/** What the operator's page can do to a server. */
export type ServerAction = "start" | "stop" | "restart";

/**
 * Starts, stops or restarts a server, and settles when it runs or has ended.
 *
 * @throws {ApiError} as {@linkcode startServer} and {@linkcode stopServer}.
 */
export async function operateServer(
  gateway: ServersContext,
  name: string,
  action: ServerAction,
): Promise<void> {
  await operate(gateway, name, ACTIONS[action]);
}

/** What is done to a server, and its state before. */
type Operation = (control: ServerControl, status: StatusBody) => Promise<void>;

/** Successful operation on a server, and its state afterwards. */
type OperationBody = StatusBody & { server_name: string; success: true; timestamp: string };

async function start(control: ServerControl, { name, running }: StatusBody): Promise<void> {
  if (running) throw new ApiError("conflict_error", `Cannot start MCP server ${quote(name)}: it is running`);
  await control.start(name);
}

async function stop(control: ServerControl, { name, status }: StatusBody, force: boolean): Promise<void> {
  if (status === "stopped" || status === "dead") {
    throw new ApiError("conflict_error", `Cannot stop MCP server ${quote(name)}: it is ${status}`);
  }
  await control.stop(name, { force });
}

async function restart(control: ServerControl, { name }: StatusBody, force: boolean): Promise<void> {
  await control.stop(name, { force });
  await control.start(name);
}

const ACTIONS: Record<ServerAction, Operation> = {
  start,
  stop: (...call) => stop(...call, false),
  restart: (...call) => restart(...call, false),
};

async function operate(gateway: ServersContext, name: string, operation: Operation): Promise<OperationBody> {
  const status = await readStatus(gateway, name);
  const control = await gateway.loadManagedServers?.();
  try {
    if (control !== undefined) await operation(control, status);
  } catch (error) {
    throw toServerError(error);
  }
  const after = await readStatus(gateway, name);
  return { server_name: name, success: true, timestamp: toIsoTime(gateway.clock.now()), ...after };
}

async function operateAll(
  gateway: ServersContext,
  names: readonly string[],
  operation: Operation,
): Promise<Response> {
  const results = await Promise.all(
    [...new Set(names)].map((name) =>
      operate(gateway, name, operation).catch((error) => ({
        server_name: name,
        success: false,
        timestamp: toIsoTime(gateway.clock.now()),
        error: toApiError(error).message,
      }))
    ),
  );
  const successes = results.filter(({ success }) => success).length;
  return Response.json({
    total_servers: results.length,
    successful_operations: successes,
    failed_operations: results.length - successes,
    success_rate: successes / results.length,
    results,
    timestamp: toIsoTime(gateway.clock.now()),
  });
}

/** Maximum number of servers in one request. */
const MAX_NAMES = 1000;

const Names = v.pipe(
  v.array(v.string("Input should be a valid string"), "Input should be a valid list"),
  v.minLength(1, "List should have at least 1 item"),
  v.maxLength(MAX_NAMES, `List should have at most ${MAX_NAMES} items`),
);
/** Body of `POST /v1/mcp/servers/start`. */
export const StartBody = v.strictObject({ server_names: Names });
/** Body of `POST /v1/mcp/servers/stop`. */
export const StopBody = v.strictObject({
  server_names: Names,
  force: v.optional(v.boolean("Input should be a valid boolean"), false),
});

async function readBody<Schema extends v.GenericSchema>(
  { request, gateway, requestLog: { caller } }: RoutedCall,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const count = gateway.bodies.start(caller.client);
  const body = await readJsonBody(request, count, gateway).finally(() => count.end());
  if (!isObject(body)) throw new ApiError("invalid_request_error", "body: Input should be an object");
  const result = v.safeParse(schema, { server_names: undefined, ...body });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? "body";
  const message = issue.expected === "never" ? "Extra inputs are not permitted" : issue.message;
  throw new ApiError("invalid_request_error", `${place.slice(0, 100)}: ${message}`);
}

/** Reads the query parameter `force`. */
function readForce({ url }: Request): boolean {
  const force = new URL(url).searchParams.get("force");
  if (force === null || force === "false") return false;
  if (force === "true" || force === "") return true;
  throw new ApiError("invalid_request_error", "force: Input should be true or false");
}
