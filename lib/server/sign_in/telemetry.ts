import { readPieces } from "../body/body_pieces.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Maximum size of a report, in MiB. */
const MAX_REPORT_MIB = 4;

/**
 * Answers `POST /v1/metrics`, `/v1/logs` and `/v1/traces` of OpenTelemetry with an empty success. The report is
 * dropped.
 *
 * @throws {ApiError} `request_too_large` past 4 MiB.
 */
export async function answerTelemetry({ request, gateway }: RoutedCall): Promise<Response> {
  const pieces = readPieces(request, { ...gateway, maxMiB: MAX_REPORT_MIB });
  while (!(await pieces.next()).done);
  const type = request.headers.get("content-type") ?? "";
  // An empty message of protobuf has no bytes.
  return type.startsWith("application/x-protobuf")
    ? new Response(null, { headers: { "content-type": "application/x-protobuf" } })
    : Response.json({});
}
