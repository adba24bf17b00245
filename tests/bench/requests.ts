import { type Api, MODELS } from "./answers.ts";

/** The content of a request. */
export interface RequestPlan {
  /** Size of the earlier conversation, in MB; 0 is one short message. */
  historyMB?: number;
  /** Size of the images in the last message, in MB of base64. */
  imagesMB?: number;
  stream: boolean;
  /** True if a tool is offered. */
  tool?: boolean;
  /** API of the upstream. */
  upstreamApi?: Api;
}

/** Characters of a text in a conversation, of which one in two is the result of a tool. */
const TURN_CHARS = 550;
/** Maximum number of turns: longer histories have longer results, because a request may have 250,000 values. */
const MAX_TURNS = 4000;
const IMAGES = 5;

/** Returns the body of a request, in the API that a target is called with. */
export function toRequestBody(plan: RequestPlan, api: Api): Uint8Array {
  const { historyMB = 0, imagesMB = 0, stream, tool = false, upstreamApi = "chat" } = plan;
  const historyChars = historyMB * 1_000_000;
  const turns = Math.min(MAX_TURNS, Math.round(historyChars / (2 * TURN_CHARS)));
  const resultChars = Math.max(TURN_CHARS, Math.round(historyChars / turns) - TURN_CHARS);
  const history = Array.from({ length: turns }, (_, nth) => {
    const result = toText(nth, resultChars);
    return api === "chat" ? chatTurn(nth, result) : messageTurn(nth, result);
  });
  const question = { type: "text", text: "What is in these?" };
  const images = Array.from({ length: imagesMB > 0 ? IMAGES : 0 }, (_, nth) => {
    const data = toImage((imagesMB * 1_000_000) / IMAGES, nth);
    return api === "chat"
      ? { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }
      : { type: "image", source: { type: "base64", media_type: "image/png", data } };
  });
  return new TextEncoder().encode(JSON.stringify({
    model: MODELS[upstreamApi],
    max_tokens: 4096,
    stream,
    ...(tool && { tools: [api === "chat" ? CHAT_TOOL : MESSAGES_TOOL] }),
    messages: [
      ...history.flat(),
      { role: "user", content: images.length > 0 ? [question, ...images] : "Say hello." },
    ],
  }));
}

const INPUT_SCHEMA = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const MESSAGES_TOOL = { name: "Read", description: "Reads a file", input_schema: INPUT_SCHEMA };
const CHAT_TOOL = {
  type: "function",
  function: { name: "Read", description: "Reads a file", parameters: INPUT_SCHEMA },
};

function toText(nth: number, chars = TURN_CHARS): string {
  return `${nth}: "const path = await read('src/größe.ts');\\n" `.repeat(chars / 40 + 1).slice(0, chars);
}

function messageTurn(nth: number, result: string): object[] {
  const id = `toolu_${nth}`;
  const input = { path: `src/file_${nth}.ts` };
  return [
    { role: "user", content: [{ type: "text", text: toText(nth).slice(0, 100) }] },
    {
      role: "assistant",
      content: [{ type: "text", text: toText(nth).slice(100, 200) }, {
        type: "tool_use",
        id,
        name: "Read",
        input,
      }],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: result }] },
    { role: "assistant", content: [{ type: "text", text: toText(nth).slice(200, 400) }] },
  ];
}

function chatTurn(nth: number, result: string): object[] {
  const id = `toolu_${nth}`;
  const call = { name: "Read", arguments: JSON.stringify({ path: `src/file_${nth}.ts` }) };
  return [
    { role: "user", content: toText(nth).slice(0, 100) },
    {
      role: "assistant",
      content: toText(nth).slice(100, 200),
      tool_calls: [{ id, type: "function", function: call }],
    },
    { role: "tool", tool_call_id: id, content: result },
    { role: "assistant", content: toText(nth).slice(200, 400) },
  ];
}

/** The first bytes of a PNG of one pixel, then bytes that differ by image. */
function toImage(chars: number, nth: number): string {
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const head = Buffer.from(png, "base64");
  const bytes = Buffer.alloc(Math.floor(chars / 4) * 3, (nth + 1) * 37);
  head.copy(bytes);
  return bytes.toString("base64");
}
