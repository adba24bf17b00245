import type { MessagesRequest } from "../../anthropic/schema.ts";
import { findChange } from "../adjustments/adjustment.ts";
import type { TurnContext } from "../dialect.ts";
import { formatInstruction, requestedFormat } from "../request/output_format.ts";

/**
 * Describes the schema of the answer in the system prompt, for a host that has refused its field. The gateway checks
 * the answer in any case.
 */
export function withFormatInWords(
  request: MessagesRequest,
  { adjustments, loss }: Pick<TurnContext, "adjustments" | "loss">,
): MessagesRequest {
  const { path, schema } = requestedFormat(request) ?? {};
  if (schema === undefined || path === undefined) return request;
  if (findChange(adjustments, "drop_response_format") === undefined) return request;
  loss.add(path, "approximated");
  const { output_format: _older, output_config, system, ...rest } = request;
  const { format: _format, ...config } = output_config ?? {};
  const blocks = typeof system === "string" ? [{ type: "text" as const, text: system }] : system ?? [];
  return {
    ...rest,
    ...(Object.keys(config).length > 0 && { output_config: config }),
    system: [...blocks, { type: "text", text: formatInstruction(schema) }],
  };
}
