import { ConfigError } from "../config/parse.ts";
import { replayFile } from "../replay/command.ts";
import type { CommandServices } from "./command.ts";

/**
 * Runs `replay`: translates a recording again, offline.
 *
 * @throws {ConfigError} if the arguments are not one file, and at most `--fixture`.
 */
export async function runReplay(
  args: readonly string[],
  { createGateway }: CommandServices,
): Promise<number> {
  const words = args.filter((word) => word !== "--");
  const files = words.filter((word) => !word.startsWith("-"));
  const others = words.filter((word) => word.startsWith("-") && word !== "--fixture");
  const [file] = files;
  if (file === undefined || files.length > 1 || others.length > 0) {
    throw new ConfigError(["Cannot replay: expected replay <file>, or replay --fixture <file>"]);
  }
  return await replayFile(file, { fixture: words.includes("--fixture"), createGateway });
}
