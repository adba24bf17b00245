/**
 * Calls a function for each target, in random order. If it fails, the error is reported and the target is deleted, so
 * that the others are still measured.
 */
export async function forEachTarget<Target>(
  targets: Map<string, Target>,
  run: (target: Target, name: string) => Promise<void>,
  report: (error: unknown) => void,
): Promise<void> {
  for (const [name, target] of shuffle([...targets])) {
    try {
      await run(target, name);
    } catch (error) {
      report(error);
      targets.delete(name);
    }
  }
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, at: Math.random() })).toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
