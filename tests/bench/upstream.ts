// The upstream of a benchmark, a separate process: `upstream.ts PORT`. It serves bytes that were built beforehand.
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { toPort } from "../kit/servers/sockets.ts";
import { type AnswerPlan, type Api, MODELS, toBody, toFrames } from "./answers.ts";

/** Form of the upstream's answers until the next order. */
export interface UpstreamPlan {
  answer: AnswerPlan;
  /** Milliseconds between two HTTP chunks of a stream. Without it, a stream is sent at once. */
  gapMs?: number;
  /** True if each stream stops after its first delta, until `release` is sent. */
  holds?: boolean;
}

/** A message of the benchmark to its upstream; it is answered with the same `id`. */
export type UpstreamOrder = { id: number; plan: UpstreamPlan } | { id: number; release: true };

/** The answers of a plan, ready to be written. */
interface Prepared {
  plan: UpstreamPlan;
  frames: readonly Uint8Array[];
  /** All frames, in pieces that are written at once. */
  slices: readonly Uint8Array[];
  body: Uint8Array;
}

const SLICE_BYTES = 64 * 1024;
/** Number of frames that a held stream sends: the comment or `message_start`, and all up to the first delta. */
const FRAMES_BEFORE_HOLD: Readonly<Record<Api, number>> = { chat: 2, messages: 3 };
const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

let prepared: Record<Api, Prepared> | undefined;
const held: (() => void)[] = [];
/** Streams that have begun, to spread their chunks over the time of a gap. */
let begun = 0;

const server = createServer((socket) => {
  socket.setNoDelay(true).on("error", () => socket.destroy());
  readRequests(socket, (path, asksForStream) => answer(socket, path, asksForStream));
});
server.on("error", ({ message }) => {
  console.error(message);
  process.exit(1);
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => process.send?.({ port: toPort(server) }));
process.on("message", (order: UpstreamOrder) => {
  if ("plan" in order) {
    prepared = { chat: prepare(order.plan, "chat"), messages: prepare(order.plan, "messages") };
  } else for (const release of held.splice(0)) release();
  process.send?.({ id: order.id });
});
process.on("disconnect", () => process.exit());

function prepare(plan: UpstreamPlan, api: Api): Prepared {
  const frames = toFrames(plan.answer, api);
  const all = Buffer.concat(frames);
  const count = Math.ceil(all.byteLength / SLICE_BYTES);
  const slices = Array.from(
    { length: count },
    (_, nth) => all.subarray(nth * SLICE_BYTES, (nth + 1) * SLICE_BYTES),
  );
  return { plan, frames, slices, body: toBody(plan.answer, api) };
}

/** Calls `onRequest` for each complete request of a connection. */
function readRequests(socket: Socket, onRequest: (path: string, asksForStream: boolean) => void): void {
  let head = "";
  let path = "";
  /** Bytes of the body that are still to come; `undefined` within a head. */
  let missing: number | undefined;
  let chunked = false;
  let asksForStream = false;
  let tail = "";
  const take = (bytes: Buffer) => {
    const text = tail + bytes.toString("latin1");
    asksForStream ||= text.includes('"stream":true');
    tail = text.slice(-16);
  };
  const end = () => {
    missing = undefined;
    tail = "";
    const streamed = asksForStream;
    asksForStream = false;
    onRequest(path, streamed);
  };
  socket.on("data", (bytes: Buffer) => {
    if (missing === undefined) {
      head += bytes.toString("latin1");
      const length = head.indexOf("\r\n\r\n") + 4;
      if (length < 4) return;
      path = head.split(" ", 2)[1] ?? "/";
      chunked = /\r\ntransfer-encoding: *chunked/i.test(head.slice(0, length));
      missing = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      bytes = Buffer.from(head.slice(length), "latin1");
      head = "";
    }
    take(bytes);
    missing -= bytes.byteLength;
    if (chunked ? tail.endsWith("0\r\n\r\n") : missing <= 0) end();
  });
}

function answer(socket: Socket, path: string, asksForStream: boolean): void {
  if (path.endsWith("/models")) return writeJson(socket, MODEL_LIST);
  if (prepared === undefined) return void socket.end("HTTP/1.1 503 No plan\r\ncontent-length: 0\r\n\r\n");
  const api = path.endsWith("/messages") ? "messages" : "chat";
  const { plan, frames, slices, body } = prepared[api];
  if (!asksForStream) return writeJson(socket, body);
  if (plan.gapMs !== undefined) return writePaced(socket, frames, plan.gapMs);
  if (plan.holds) return writeHeld(socket, frames, FRAMES_BEFORE_HOLD[api]);
  socket.cork();
  socket.write(STREAM_HEAD);
  void writeAll(socket, slices);
  socket.uncork();
}

const MODEL_LIST = Buffer.from(JSON.stringify({
  data: Object.values(MODELS).map((id) => ({
    id,
    context_length: 10_000_000,
    architecture: { input_modalities: ["text", "image"], output_modalities: ["text"] },
    pricing: { prompt: "0.000001", completion: "0.000002" },
    top_provider: { max_completion_tokens: 100_000 },
    supported_parameters: ["max_tokens", "tools", "tool_choice", "reasoning", "include_reasoning"],
  })),
}));

function writeJson(socket: Socket, body: Uint8Array): void {
  const head =
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.byteLength}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), body]));
}

async function writeAll(socket: Socket, slices: readonly Uint8Array[]): Promise<void> {
  for (const slice of slices) {
    if (socket.destroyed) return;
    if (!socket.write(slice)) await new Promise<void>((resolve) => onDrain(socket, resolve));
  }
}

function onDrain(socket: Socket, resolve: () => void): void {
  const end = () => {
    socket.off("drain", end).off("close", end);
    resolve();
  };
  socket.on("drain", end).on("close", end);
}

/** Writes a frame each `gapMs`. The streams are spread over that time, so that their chunks arrive separately. */
function writePaced(socket: Socket, frames: readonly Uint8Array[], gapMs: number): void {
  socket.write(STREAM_HEAD);
  let next = 0;
  setTimeout(() => {
    const timer = setInterval(() => {
      const frame = frames[next++];
      if (frame === undefined || socket.destroyed) clearInterval(timer);
      else socket.write(frame);
    }, gapMs);
  }, (begun++ * 7) % gapMs);
}

function writeHeld(socket: Socket, frames: readonly Uint8Array[], count: number): void {
  socket.write(STREAM_HEAD);
  socket.write(Buffer.concat(frames.slice(0, count)));
  held.push(() => socket.write(Buffer.concat(frames.slice(count))));
}
