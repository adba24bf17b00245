import type { GatewayContext } from "../context.ts";
import type { RequestLog } from "../request_log/request_log.ts";

/** A request at its route. */
export interface RoutedCall {
  request: Request;
  gateway: GatewayContext;
  requestLog: RequestLog;
  /** Decoded values of the parameters in the route's path. */
  params: Readonly<Record<string, string>>;
}
