import assert from "node:assert/strict";
import type { FakeClock } from "./clock.ts";

/** A line of a recorded answer after which nothing comes for so many seconds, or after which the client has left. */
const CUE = /^: (?:silence of (\d+) s|the client leaves)\n+/m;

/** Tells whether an answer has cues: to readers of event streams they are comments. */
export function hasCues(answer: string): boolean {
  return CUE.test(answer);
}

/** What came of an answer with cues. */
export interface Played {
  response: Response;
  /** All that the client had read when it was over. */
  text: string;
  /** How the upstream's stream ended: read to its end, or let go. */
  end: "read" | "let go";
}

/**
 * Plays an answer with cues: the upstream falls silent where it says so, while time passes second by second; the client
 * leaves where it says so.
 */
export async function playScript(
  answer: string,
  { clock, ask }: { clock: FakeClock; ask(body: ReadableStream<Uint8Array>): Promise<Response> },
): Promise<Played> {
  const pieces = answer.split(new RegExp(CUE, "gm")).filter((_, at) => at % 2 === 0);
  const cues = [...answer.matchAll(new RegExp(CUE, "gm"))].map(([, seconds]) => seconds);
  const encoder = new TextEncoder();
  const silences = pieces.map(createGate);
  const words = pieces.map(createGate);
  let end: Played["end"] = "read";
  let told = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (told > 0) silences[told - 1]?.open();
      await words[told]?.opened;
      const piece = pieces[told++];
      if (piece === undefined) controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
    cancel() {
      end = "let go";
      for (const gate of words) gate.open();
    },
  }, { highWaterMark: 0 });
  words[0]?.open();

  const client = ask(body).then((response) => {
    const reader = response.body?.getReader();
    assert.ok(reader, "an answer has a body");
    return { response, reader, read: readAll(reader) };
  });
  for (const [at, seconds] of cues.entries()) {
    await silences[at]?.opened;
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
    words[at + 1]?.open();
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

/** Waits until whatever is settled has been heard of by all who wait for it. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
