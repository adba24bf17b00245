import { resolveGroups } from "../resolve.ts";
import type { Directory } from "../upstream.ts";
import type { TargetHealth, TargetReport } from "./target_health.ts";

/** State of the targets of an alias. */
export interface AliasReport {
  /** `degraded` if a target cools down or was not asked since, `unavailable` if all cool down. */
  status: "healthy" | "degraded" | "unavailable";
  /** In the order of the settings: `group` is the place of its fallback, 0 for the targets that are asked first. */
  targets: (TargetReport & { group: number; weight: number })[];
}

/** Returns the state of every alias with more than one target, by name, for `GET /health/detailed` and the page. */
export function reportTargets(
  { directory, targetHealth }: { directory: Directory; targetHealth: TargetHealth },
): Record<string, AliasReport> {
  const aliases = [...directory.aliases.keys()].flatMap((alias): [string, AliasReport][] => {
    const targets = resolveGroups(alias, directory).flatMap((targets, group) =>
      targets.map((target) => ({ ...targetHealth.report(target), group, weight: target.weight }))
    );
    return targets.length < 2 ? [] : [[alias, { status: toStatus(targets), targets }]];
  });
  return Object.fromEntries(aliases);
}

function toStatus(targets: readonly TargetReport[]): AliasReport["status"] {
  if (targets.every(({ state }) => state === "cooling")) return "unavailable";
  return targets.every(({ state }) => state === "healthy") ? "healthy" : "degraded";
}
