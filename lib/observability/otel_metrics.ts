import { type Attributes, type Histogram, metrics } from "@opentelemetry/api";
import { NAME, VERSION } from "../base/version.ts";

/** A finished turn. */
export interface Operation {
  seconds: number;
  usage: { inputTokens: number; outputTokens: number } | undefined;
  /** Type of the failure, if the turn failed. */
  failure: string | undefined;
}

/**
 * Records a turn in OpenTelemetry's metrics of generative AI, if there is a provider of metrics.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export function recordOperation({ seconds, usage, failure }: Operation, attributes: Attributes): void {
  const { duration, tokens } = instruments ??= createInstruments();
  const labels = Object.fromEntries(LABELS.map((name) => [name, attributes[name]]));
  duration.record(seconds, { ...labels, ...(failure !== undefined && { "error.type": failure }) });
  if (usage === undefined) return;
  tokens.record(usage.inputTokens, { ...labels, "gen_ai.token.type": "input" });
  tokens.record(usage.outputTokens, { ...labels, "gen_ai.token.type": "output" });
}

/** Attributes of a turn that are labels of its metrics. The others have too many values. */
const LABELS = ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address"];

/** Created with the first turn: the provider may be registered after this module is loaded. */
let instruments: { duration: Histogram; tokens: Histogram } | undefined;

function createInstruments(): { duration: Histogram; tokens: Histogram } {
  const meter = metrics.getMeter(NAME, VERSION);
  return {
    duration: meter.createHistogram("gen_ai.client.operation.duration", {
      unit: "s",
      description: "Duration of a request to an upstream",
    }),
    tokens: meter.createHistogram("gen_ai.client.token.usage", {
      unit: "{token}",
      description: "Tokens of a request to an upstream",
    }),
  };
}
