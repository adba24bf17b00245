import { createReading, type Family } from "../../observability/metrics/registry.ts";
import type { Clock } from "../../runtime/clock.ts";
import { stateOf } from "../../upstreams/targets/cooldown.ts";
import type { TargetMemory } from "../../upstreams/targets/target_health.ts";

/** Returns the metrics of the targets of aliases that have failed. Their label is that of `x-gateway-model`. */
export function createTargetMetrics({ targets }: TargetMemory, clock: Clock): Family[] {
  return [
    createReading({
      name: "gateway_cooldowns_total",
      help: "Failures after which a model of an alias was skipped for a while",
      type: "counter",
      labels: ["model"],
    }, () => targets.values().map(({ key, cooldowns }) => [[key], cooldowns])),
    createReading({
      name: "gateway_target_cooling",
      help: "1 while a model of an alias is skipped after failures",
      labels: ["model"],
    }, () =>
      targets.values().map(({ key, cooldown }) => {
        return [[key], Number(stateOf(cooldown, clock.now()) === "cooling")];
      })),
  ];
}
