import { quote } from "../base/redact.ts";
import { printError, printLine } from "../observability/log.ts";
import type { Recording } from "../observability/recording.ts";
import { FileError, writeFolder } from "../runtime/files.ts";
import { toFixture, toFixtureFolder } from "./fixture.ts";
import { readRecording } from "./read_recording.ts";
import { type CreateReplayGateway, replay } from "./replay.ts";

/** Options of {@linkcode replayFile}. */
export interface ReplayOptions {
  /** True to write the fixture folder. */
  fixture: boolean;
  createGateway: CreateReplayGateway;
}

/**
 * Runs `replay <file>`: prints the differences between a recording and its translation now. With `fixture`, writes the
 * fixture folder beside the file instead.
 *
 * Returns the exit status: 0 without differences, 1 with differences, 2 if the file cannot be used.
 */
export async function replayFile(file: string, { fixture, createGateway }: ReplayOptions): Promise<number> {
  try {
    return await replayRecording(file, readRecording(file), { fixture, createGateway });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    printError(`Cannot replay ${quote(file)}: ${error.message}`);
    return 2;
  }
}

async function replayRecording(
  file: string,
  recording: Recording,
  { fixture, createGateway }: ReplayOptions,
): Promise<number> {
  if (fixture) {
    const folder = toFixtureFolder(file);
    const files = toFixture(recording);
    writeFolder(folder, files);
    printLine(`Wrote ${folder}: ${[...files.keys()].join(", ")}`);
    printLine("Move it to tests/fixtures/, and let the test write the expected files: see CONTRIBUTING.md");
    return 0;
  }
  const { differences, notes } = await replay(recording, createGateway);
  for (const note of notes) printLine(`Note: ${note}`);
  for (const line of differences) printLine(line);
  const { request_id, version, exchanges } = recording;
  printLine(
    `${request_id}, recorded by version ${version}, ${exchanges.length} requests to upstreams: ${
      differences.length === 0 ? "no differences" : `${differences.length} differences`
    }`,
  );
  return differences.length === 0 ? 0 : 1;
}
