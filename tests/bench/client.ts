import { Agent, request } from "node:http";

/** A request of the benchmark. */
export interface ClientRequest {
  /** URL of the endpoint. */
  url: string;
  body: Uint8Array;
  /** Called when the first delta has arrived. */
  onStart?: () => void;
}

/** The answer that a client received. */
export interface Received {
  text: string;
  /** Time to the first delta of a stream, in milliseconds. */
  firstMs: number;
  /** Time to the end of the answer, in milliseconds. */
  ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 64, timeout: 120_000 });

/**
 * Sends a request and reads its answer, streamed or not, of either API.
 *
 * @throws if the status is not 200, or if the connection fails.
 */
export async function ask({ url, body, onStart }: ClientRequest): Promise<Received> {
  const startedAt = performance.now();
  let firstMs: number | undefined;
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": body.byteLength,
      "x-api-key": "bench-client-key",
      "anthropic-version": "2023-06-01",
    };
    const sent = request(url, { method: "POST", headers, agent }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => {
        pieces.push(piece);
        if (firstMs !== undefined || !isContent(piece)) return;
        firstMs = performance.now() - startedAt;
        onStart?.();
      });
      response.on("error", reject);
      response.on("end", () => {
        const all = Buffer.concat(pieces);
        if (response.statusCode === 200) resolve(all);
        else reject(new Error(`${url} answered ${response.statusCode}: ${all.subarray(0, 500)}`));
      });
    });
    sent.on("error", reject).end(body);
  });
  const ms = performance.now() - startedAt;
  return { text: readText(bytes.toString("utf8")), firstMs: firstMs ?? ms, ms };
}

/** True if a piece of a stream has a delta. */
function isContent(piece: Buffer): boolean {
  return piece.includes("content_block_delta") || piece.includes('"delta":{"role"');
}

/** Returns the text, the thinking and the arguments of an answer of either API. @throws if the stream has an error. */
export function readText(body: string): string {
  if (body.startsWith("{")) return readMessage(JSON.parse(body));
  let text = "";
  let ended = false;
  for (const line of body.split("\n")) {
    if (!line.startsWith("data: ")) continue;
    if (line === "data: [DONE]") {
      ended = true;
      continue;
    }
    const event = JSON.parse(line.slice(6));
    if (event.type === "error" || event.error !== undefined) throw new Error(`The stream failed: ${line}`);
    if (event.type === "message_stop") ended = true;
    text += readDelta(event.delta ?? event.choices?.[0]?.delta);
  }
  if (!ended) throw new Error(`The stream has no end: …${body.slice(-200)}`);
  return text;
}

// deno-lint-ignore no-explicit-any -- JSON of two APIs
function readDelta(delta: any): string {
  return delta?.text ?? delta?.thinking ?? delta?.partial_json ??
    ((delta?.reasoning || delta?.content) ?? delta?.tool_calls?.[0]?.function.arguments ?? "");
}

// deno-lint-ignore no-explicit-any -- JSON of two APIs
function readMessage(body: any): string {
  return body.content?.[0]?.text ?? body.choices?.[0]?.message?.content ?? "";
}
