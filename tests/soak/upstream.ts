import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Plan } from "./plan.ts";
import { toPort } from "../kit/servers/sockets.ts";

/** A loopback upstream that follows the plan in each request. */
export interface SoakUpstream {
  url: string;
  /** Number of answers that have not ended. */
  readonly open: number;
  /** Number of requests, and the highest number for one plan. */
  readonly requests: number;
  readonly mostRequests: number;
  /** Continues the answers that wait for it. */
  release(): void;
  close(): void;
}

/** Starts the upstream of a soak. */
export async function startUpstream(): Promise<SoakUpstream> {
  let open = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const requests = new Map<string, number>();
  const server = createServer(async (request, response) => {
    open++;
    response.on("close", () => open--);
    const plan = request.method === "POST" ? readPlan(await readBody(request)) : undefined;
    if (plan === undefined) return response.writeHead(404).end();
    const nth = requests.get(plan.nonce) ?? 0;
    requests.set(plan.nonce, nth + 1);
    await answerPlan(plan, response, { nth, released });
  });
  server.keepAliveTimeout = 60_000; // longer than the gateway keeps its connections idle
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${toPort(server)}`,
    get open() {
      return open;
    },
    get requests() {
      return [...requests.values()].reduce((sum, times) => sum + times, 0);
    },
    get mostRequests() {
      return Math.max(0, ...requests.values());
    },
    release,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) text += piece;
  return text;
}

/** Reads the plan in the user's message, in either format. */
function readPlan(body: string): Plan {
  const { messages } = JSON.parse(body);
  const { content } = messages.at(-1);
  return JSON.parse(typeof content === "string" ? content : content[0].text);
}

async function answerPlan(
  plan: Plan,
  response: ServerResponse,
  { nth, released }: { nth: number; released: Promise<void> },
): Promise<void> {
  switch (plan.fault) {
    case "busy":
      if (nth >= plan.times) break;
      response.writeHead(plan.size % 2 === 0 ? 429 : 503, {
        "content-type": "application/json",
        "retry-after": "0",
      });
      return void response.end(JSON.stringify({ error: { message: "Busy" } }));
    case "broken":
      response.writeHead(500, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ error: { message: "Out of order" } }));
    case "redirect":
      return void response.writeHead(307, { location: "http://127.0.0.1:9/" }).end();
    case "html":
      return void response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in</html>");
    case "refuse":
      return void response.destroy();
    case "mute":
      return;
    case "late":
      await setTimeout(1500);
      break;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const { opening, piece, ending } = FORMATS[plan.api];
  await write(response, opening);
  for (let n = 0; n < plan.size && !response.destroyed; n++) {
    if (n === plan.at && injectFault(plan, response)) return;
    if (n === plan.at && plan.fault === "wait") await keepAlive(response, released);
    await write(response, piece(`${plan.nonce} `.repeat(plan.repeats)));
    await (plan.pace === 0 ? setImmediate() : setTimeout(plan.pace));
  }
  await write(response, ending);
  if (plan.fault !== "linger") response.end();
}

/** Makes the fault of a plan within an answer. Returns true if nothing follows it. */
function injectFault({ fault, api }: Plan, response: ServerResponse): boolean {
  switch (fault) {
    case "reset":
      response.destroy();
      return true;
    case "truncate":
      response.end();
      return true;
    case "stall":
      return true;
    case "garbage":
      response.end(
        Buffer.from('\u0000\ufffd<<<data: {\n\ndata: {"choices":\n\nevent: nothing\n\n\xff\xfe', "latin1"),
      );
      return true;
    case "error":
      response.end(FORMATS[api].error);
      return true;
    default:
      return false;
  }
}

/** Sends comments until the answer may continue. */
async function keepAlive(response: ServerResponse, released: Promise<void>): Promise<void> {
  const timer = setInterval(() => response.write(": still here\n\n"), 1000);
  await Promise.race([released, once(response, "close")]);
  clearInterval(timer);
}

async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || text === "" || response.write(text)) return;
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

const chunk = (fields: object) => `data: ${JSON.stringify({ choices: [{ index: 0, ...fields }] })}\n\n`;
const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const MESSAGE = { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } };

/** The frames of each format. */
const FORMATS = {
  chat: {
    opening: ": OPENROUTER PROCESSING\n\n",
    piece: (content: string) => chunk({ delta: { content } }),
    error: `data: ${JSON.stringify({ error: { code: 502, message: "Lost" }, choices: [] })}\n\n`,
    ending: `${chunk({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`,
  },
  native: {
    opening: [
      event({ type: "message_start", ...{ message: MESSAGE } }),
      event({ type: "content_block_start", ...{ index: 0, content_block: { type: "text", text: "" } } }),
    ].join(""),
    piece: (text: string) =>
      event({ type: "content_block_delta", ...{ index: 0, delta: { type: "text_delta", text } } }),
    error: event({ type: "error", ...{ error: { type: "overloaded_error", message: "Lost" } } }),
    ending: [
      event({ type: "content_block_stop", ...{ index: 0 } }),
      event({
        type: "message_delta",
        ...{ delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
      }),
      event({ type: "message_stop" }),
    ].join(""),
  },
};
