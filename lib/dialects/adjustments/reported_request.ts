import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/** A request in Anthropic's format and the report for losses at its paths. */
export interface ReportedRequest {
  request: MessagesRequest;
  loss: LossReport;
}
