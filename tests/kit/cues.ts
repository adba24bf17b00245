import assert from "node:assert/strict";
import type { FakeClock } from "./clock.ts";

/** A line of a recorded body after which the upstream sends nothing for n seconds, or the client disconnects. */
const CUE = /^: (?:silence of (\d+) s|the client leaves)\n+/m;

/** True if a body has cues. In an event stream they are comments. */
export function hasCues(body: string): boolean {
  return CUE.test(body);
}

/** The response to a request whose upstream body has cues. */
export interface Replay {
  response: Response;
  /** The part of the body that the client read. */
  text: string;
  /** End of the upstream's body: read to its end, or cancelled (`let go`). */
  end: "read" | "let go";
}

/**
 * Sends a request whose upstream body follows its cues: at a silence, the clock advances second by second; at a
 * disconnect, the response is cancelled.
 */
export async function replayCues(
  recording: string,
  { clock, send }: { clock: FakeClock; send(body: ReadableStream<Uint8Array>): Promise<Response> },
): Promise<Replay> {
  const pieces = recording.split(new RegExp(CUE, "gm")).filter((_, at) => at % 2 === 0);
  const cues = [...recording.matchAll(new RegExp(CUE, "gm"))].map(([, seconds]) => seconds);
  const encoder = new TextEncoder();
  const pauses = pieces.map(createGate);
  const gates = pieces.map(createGate);
  let end: Replay["end"] = "read";
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent > 0) pauses[sent - 1]?.open();
      await gates[sent]?.opened;
      const piece = pieces[sent++];
      if (piece === undefined) controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
    cancel() {
      end = "let go";
      for (const gate of gates) gate.open();
    },
  }, { highWaterMark: 0 });
  gates[0]?.open();

  const client = send(body).then((response) => {
    const reader = response.body?.getReader();
    assert.ok(reader, "an answer has a body");
    return { response, reader, read: readAll(reader) };
  });
  for (const [at, seconds] of cues.entries()) {
    await pauses[at]?.opened;
    await settled();
    if (seconds === undefined) {
      const { reader } = await client;
      await reader.cancel();
    } else {
      for (let second = 0; second < Number(seconds); second++) {
        clock.advance(1000);
        await settled();
      }
    }
    gates[at + 1]?.open();
  }
  const { response, read } = await client;
  const text = await read;
  await settled();
  return { response, text, end };
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
  }
  return text + decoder.decode();
}

function createGate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open: () => open() };
}

/** Waits until all settled promises have been handled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
