import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Plan } from "./plan.ts";
import { toPort } from "../kit/servers/sockets.ts";

/** A loopback upstream that does what the plan in each question says. */
export interface SoakUpstream {
  url: string;
  /** Answers that are not finished; none, when nobody asks any more. */
  readonly open: number;
  /** How often it was asked, and the most that for one question. */
  readonly asked: number;
  readonly mostAsked: number;
  /** Lets answers go on that wait for it. */
  release(): void;
  close(): void;
}

/** Starts the upstream of a soak. */
export async function startUpstream(): Promise<SoakUpstream> {
  let open = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const asked = new Map<string, number>();
  const server = createServer(async (request, response) => {
    open++;
    response.on("close", () => open--);
    const plan = request.method === "POST" ? readPlan(await readBody(request)) : undefined;
    if (plan === undefined) return response.writeHead(404).end();
    const nth = asked.get(plan.nonce) ?? 0;
    asked.set(plan.nonce, nth + 1);
    await act(plan, response, { nth, released });
  });
  server.keepAliveTimeout = 60_000; // not to race with the gateway's next question
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${toPort(server)}`,
    get open() {
      return open;
    },
    get asked() {
      return [...asked.values()].reduce((sum, times) => sum + times, 0);
    },
    get mostAsked() {
      return Math.max(0, ...asked.values());
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

/** Finds the plan in what the user said, in the language of either road. */
function readPlan(body: string): Plan {
  const { messages } = JSON.parse(body);
  const { content } = messages.at(-1);
  return JSON.parse(typeof content === "string" ? content : content[0].text);
}

async function act(
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
  const { opening, piece, ending } = LANGUAGES[plan.road];
  await write(response, opening);
  for (let n = 0; n < plan.size && !response.destroyed; n++) {
    if (n === plan.at && misbehave(plan, response)) return;
    if (n === plan.at && plan.fault === "wait") await keepAlive(response, released);
    await write(response, piece(`${plan.nonce} `.repeat(plan.words)));
    await (plan.pace === 0 ? setImmediate() : setTimeout(plan.pace));
  }
  await write(response, ending);
  if (plan.fault !== "linger") response.end();
}

/** Does what a plan wants done within an answer; tells whether nothing comes after it. */
function misbehave({ fault, road }: Plan, response: ServerResponse): boolean {
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
      response.end(LANGUAGES[road].error);
      return true;
    default:
      return false;
  }
}

/** Says that it is still there, until it may go on. */
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

/** How each road says an answer. */
const LANGUAGES = {
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
