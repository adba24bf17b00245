import type { Clock } from "../runtime/clock.ts";

/** What is sent to the viewers of one address: the title, and the markup of parts by the ids of their elements. */
export interface LivePage {
  title: string;
  parts: ReadonlyMap<string, string>;
  /** Seconds between updates; undefined if the page does not change any more. */
  live: number | undefined;
}

/** One browser that looks at an address. */
export interface LiveViewer {
  /** Address of the page, with its query. Viewers of one address share its rendering. */
  address: string;
  render(): Promise<LivePage>;
  /** Replaces the placeholder of the token. */
  personalize(html: string): string;
  /** False once the viewer's session has ended. */
  isValid(): boolean;
  onEnd(): void;
}

/** The event streams of the page. */
export interface LivePages {
  /** Returns the event stream of a viewer; undefined if there are too many. */
  open(viewer: LiveViewer): ReadableStream<Uint8Array> | undefined;
  /** Ends all streams as if the connection were lost: browsers open them again. */
  endAll(): void;
}

const MAX_STREAMS = 8;
const TICK_MS = 1000;
const PING_TICKS = 15;
/** Bytes that a slow viewer may have waiting. Until they are read, it receives no updates. */
const MAX_WAITING_BYTES = 512 * 1024;

interface Stream extends LiveViewer {
  sent: Map<string, string>;
  controller: ReadableStreamDefaultController<Uint8Array>;
}

/**
 * Creates the event streams. An address is rendered once an interval for all its viewers, and never without a viewer;
 * the parts that changed since they were sent are sent. All streams end when `isStopping()` returns true.
 */
export function createLivePages({ clock, isStopping, onError }: {
  clock: Clock;
  isStopping(): boolean;
  onError(error: unknown): void;
}): LivePages {
  const streams = new Set<Stream>();
  const encoder = new TextEncoder();
  const rendering = new Set<string>();
  let ticks = 0;
  let stopTicking: (() => void) | undefined;

  function send(stream: Stream, event: string, data: unknown): void {
    stream.controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  function remove(stream: Stream): boolean {
    if (!streams.delete(stream)) return false;
    if (streams.size === 0) {
      stopTicking?.();
      stopTicking = undefined;
    }
    stream.onEnd();
    return true;
  }

  function end(stream: Stream, why: "session" | "finished" | "lost"): void {
    if (!streams.has(stream)) return;
    // After a lost connection, the browser tries again.
    if (why !== "lost") send(stream, "end", why);
    remove(stream);
    stream.controller.close();
  }

  function update(stream: Stream, { title, parts, live }: LivePage): void {
    if (!streams.has(stream) || (stream.controller.desiredSize ?? 0) <= 0) return;
    for (const [id, html] of new Map([["title", title], ...parts])) {
      if (stream.sent.get(id) === html) continue;
      stream.sent.set(id, html);
      if (id === "title") send(stream, "title", `${title} · Gateway`);
      else send(stream, "part", { id, html: stream.personalize(html) });
    }
    if (live === undefined) end(stream, "finished");
  }

  async function render(address: string, viewers: readonly Stream[]): Promise<void> {
    const [first] = viewers;
    if (first === undefined || rendering.has(address)) return;
    rendering.add(address);
    try {
      const page = await first.render();
      intervals.set(address, page.live ?? 1);
      for (const viewer of viewers) update(viewer, page);
    } catch (error) {
      onError(error);
      for (const viewer of viewers) end(viewer, "lost");
    } finally {
      rendering.delete(address);
    }
  }

  /** Seconds between updates by address. */
  const intervals = new Map<string, number>();

  function tick(): void {
    ticks++;
    for (const stream of [...streams]) {
      if (isStopping()) end(stream, "lost");
      else if (!stream.isValid()) end(stream, "session");
      else if (ticks % PING_TICKS === 0) stream.controller.enqueue(encoder.encode(": ping\n\n"));
    }
    const byAddress = group(streams);
    for (const address of intervals.keys()) if (!byAddress.has(address)) intervals.delete(address);
    for (const [address, viewers] of byAddress) {
      if (ticks % (intervals.get(address) ?? 1) === 0) void render(address, viewers);
    }
  }

  return {
    open(viewer) {
      if (streams.size >= MAX_STREAMS) return undefined;
      let stream: Stream | undefined;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          stream = { ...viewer, sent: new Map(), controller };
          streams.add(stream);
          stopTicking ??= clock.every(TICK_MS, tick);
          void render(viewer.address, [stream]);
        },
        cancel() {
          if (stream !== undefined) remove(stream);
        },
      }, { highWaterMark: MAX_WAITING_BYTES, size: (chunk) => chunk?.byteLength ?? 0 });
    },
    endAll() {
      for (const stream of [...streams]) end(stream, "lost");
    },
  };
}

function group(streams: Iterable<Stream>): Map<string, Stream[]> {
  const groups = new Map<string, Stream[]>();
  for (const stream of streams) groups.set(stream.address, [...groups.get(stream.address) ?? [], stream]);
  return groups;
}
