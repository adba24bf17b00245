import { LruMap } from "../../../base/lru.ts";
import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { toFixture, toFixtureFolder } from "../../../replay/fixture.ts";
import { readRecording } from "../../../replay/read_recording.ts";
import { replay } from "../../../replay/replay.ts";
import { FileError, writeFolder } from "../../../runtime/files.ts";
import { formatNumber } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { command, state } from "../../elements/words.ts";
import { actionFields, type ViewCall } from "../../view.ts";

/** What an action with a recording has found. */
interface Result {
  kind: "ok" | "warn" | "bad";
  word: string;
  lines: readonly string[];
}

/** Results of the last actions, by recording: the page shows them after its redirect. */
const results = new LruMap<string, Result>(20);
const MAX_LINES = 100;
const MAX_LINE_CHARS = 500;

/** Runs the translation of a recorded request again, offline. */
export async function replayRequest(call: ViewCall, id: string): Promise<void> {
  await run(call, id, async (file) => {
    const { differences, notes } = await replay(readRecording(file), call.createReplayGateway);
    const lines = [...notes.map((note) => `Note: ${note}`), ...differences].slice(0, MAX_LINES)
      .map((line) => line.slice(0, MAX_LINE_CHARS));
    return differences.length === 0
      ? { kind: "ok", word: "Replayed without differences", lines }
      : { kind: "warn", word: `Replayed with ${formatNumber(differences.length, "difference")}`, lines };
  });
}

/** Writes the fixture folder of a recorded request beside its recording. */
export async function makeFixture(call: ViewCall, id: string): Promise<void> {
  await run(call, id, (file) => {
    const folder = toFixtureFolder(file);
    const files = toFixture(readRecording(file));
    writeFolder(folder, files);
    return {
      kind: "ok",
      word: "Wrote the fixture",
      lines: [folder, ...files.keys(), "Move the folder to tests/fixtures/: see CONTRIBUTING.md"],
    };
  });
}

async function run(
  { gateway }: ViewCall,
  id: string,
  act: (file: string) => Result | Promise<Result>,
): Promise<void> {
  const file = gateway.operations.recordings?.find(`-${id}`);
  if (file === undefined) return;
  try {
    results.set(file, await act(file));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    results.set(file, { kind: "bad", word: "Cannot use the recording", lines: [error.message] });
  }
}

/** Renders what can be done with a recording; without one, how to make the next. */
export function renderRecorded(call: ViewCall, seen: SeenRequest): Html {
  const file = call.gateway.operations.recordings?.find(`-${seen.id}`);
  if (file === undefined) return renderMissing(seen);
  const result = results.get(file);
  const action = `request?id=${encodeURIComponent(seen.id)}`;
  return markup`<div class="panel pad stack tight">
<p>The request and the upstream's bytes, without credentials:</p>
${command(`npm start -- replay ${file}`, "the command that replays it")}
<div class="actions">
<form method="post" action="${action}">${
    actionFields(call, "replay")
  }<button class="primary" type="submit">Replay offline</button></form>
<form method="post" action="${action}">${
    actionFields(call, "fixture")
  }<button type="submit">Make a fixture</button></form>
</div>
${
    result &&
    markup`<div id="result">${state(result.kind, result.word)}${
      result.lines.length > 0 &&
      markup`<pre tabindex="0" aria-label="Result">${result.lines.join("\n")}</pre>`
    }</div>`
  }
</div>`;
}

function renderMissing({ recorded }: SeenRequest): Html {
  if (recorded) {
    return markup`<p class="panel pad muted">The recording is written when the request has ended, and removed when 500 newer ones are stored.</p>`;
  }
  return markup`<div class="panel pad stack tight">
<p class="muted">This request was not recorded. To replay the next one offline, or to make a fixture of it for a bug report, set:</p>
${command("RECORD_DIR=./recordings", "the setting")}
</div>`;
}
