import type { CustomTool } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/** Fields of a tool that are translated, or that have no effect because all tools are sent. */
const HANDLED_FIELDS = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
  "defer_loading",
  "eager_input_streaming",
]);

/**
 * Returns a tool's description with its examples, for which OpenAI's APIs have no field. Reports fields that are not
 * translated.
 */
export function describeTool(tool: CustomTool, path: string, loss: LossReport): string {
  const { input_examples: examples, allowed_callers: callers, ...rest } = tool;
  for (const [field, value] of Object.entries(rest)) {
    if (!HANDLED_FIELDS.has(field) && value !== null && value !== undefined) {
      loss.add(`${path}.${field}`, "dropped");
    }
  }
  if (Array.isArray(callers) && !callers.includes("direct")) loss.add(`${path}.allowed_callers`, "dropped");
  const exampleTexts = Array.isArray(examples) ? examples.map((example) => JSON.stringify(example)) : [];
  if (exampleTexts.length > 0) loss.add(`${path}.input_examples`, "approximated");
  const exampleLines = exampleTexts.length > 0 ? ["Examples of its input:", ...exampleTexts] : [];
  return [tool.description ?? "", exampleLines.join("\n")].filter(Boolean).join("\n\n");
}
