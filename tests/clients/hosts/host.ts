import { once } from "node:events";
import { createServer } from "node:http";
import { z } from "zod";

/** A turn of the scripted model: its thinking, text and calls. */
export interface HostTurn {
  thought: string;
  text: string;
  calls?: readonly HostCall[];
}

/** A call of a tool. */
export interface HostCall {
  id: string;
  name: string;
  input: unknown;
}

/** The error with which a host refuses a request. */
export interface Refusal {
  status: number;
  message: string;
}

/** An API of a host: its checks and its answers. */
export interface HostApi<Request> {
  /** Path of the endpoint that answers. */
  path: string;
  /** Path of the endpoint that counts tokens, and its body. */
  count?: { path: string; body: unknown };
  /** Body of the list of models. */
  models: unknown;
  /** Shape of a request. Anything else is a fault. */
  schema: z.ZodType<Request>;
  /** Returns why the real host would refuse a request. */
  faultOf(request: Request): Refusal | undefined;
  /** Returns the body of a refusal. */
  toError(refusal: Refusal): unknown;
  /** Writes a turn as an event stream. */
  write(turn: HostTurn, nth: number): string;
}

/** A loopback host that refuses the same requests as the real one. */
export interface Host<Request> {
  /** Base URL, with `/v1`. */
  url: string;
  /** The requests that it accepted, in order. */
  requests: Request[];
  /** Why it refused requests, in order. */
  refusals: string[];
  close(): Promise<void>;
}

/** Starts a host that answers with these turns, one a request, and then with the last. */
export async function startHost<Request>(
  api: HostApi<Request>,
  turns: readonly HostTurn[],
): Promise<Host<Request>> {
  const requests: Request[] = [];
  const refusals: string[] = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname;
    const reply = (status: number, body: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    if (path === "/v1/models") return reply(200, api.models);
    if (path === api.count?.path) return reply(200, api.count.body);
    if (path !== api.path) return reply(404, { error: { message: `No such endpoint: ${path}` } });
    const parsed = api.schema.safeParse(JSON.parse(text));
    const fault = parsed.success ? api.faultOf(parsed.data) : { status: 422, message: parsed.error.message };
    if (fault !== undefined || !parsed.success) {
      refusals.push(fault?.message ?? "");
      return reply(fault?.status ?? 500, fault && api.toError(fault));
    }
    const nth = requests.length;
    const turn = turns[Math.min(nth, turns.length - 1)];
    requests.push(parsed.data);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(turn && api.write(turn, nth));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    refusals,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Writes payloads as an event stream; the name of each event is its `type`, if it has one. */
export function writeEvents(payloads: readonly object[]): string {
  return payloads.map((payload) => {
    const name = "type" in payload ? `event: ${payload.type}\n` : "";
    return `${name}data: ${JSON.stringify(payload)}\n\n`;
  }).join("");
}
