// deno-lint-ignore-file no-explicit-any -- JSON without checks
// A minimal translator: `RUNTIME translator.ts UPSTREAM_URL`. It prints its URL. It converts Anthropic's Messages to
// chat completions and the answers back, by `JSON.parse` of every chunk, without checks, errors and a log.

import { type Handler, listen, readArgument } from "./listen.ts";

const upstream = readArgument();
const encoder = new TextEncoder();

const handler: Handler = async (request) => {
  if (request.method !== "POST") return new Response("ok");
  const message = JSON.parse(await request.text());
  const answer = await fetch(`${upstream}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...message, messages: message.messages.flatMap(toChatMessages) }),
  });
  if (!message.stream) return Response.json(toMessage(await answer.json()));
  return new Response(translate(answer.body!.getReader()), {
    headers: { "content-type": "text/event-stream" },
  });
};

console.log(`http://127.0.0.1:${await listen(handler)}`);

function toChatMessages({ role, content }: any): any[] {
  if (typeof content === "string") return [{ role, content }];
  const results = content.filter((block: any) => block.type === "tool_result");
  if (results.length > 0) {
    return results.map((block: any) => ({
      role: "tool",
      tool_call_id: block.tool_use_id,
      content: block.content,
    }));
  }
  const calls = content.filter((block: any) => block.type === "tool_use").map((block: any) => ({
    id: block.id,
    type: "function",
    function: { name: block.name, arguments: JSON.stringify(block.input) },
  }));
  const parts = content.filter((block: any) => block.type !== "tool_use").map((block: any) =>
    block.type === "text" ? { type: "text", text: block.text } : {
      type: "image_url",
      image_url: { url: `data:${block.source.media_type};base64,${block.source.data}` },
    }
  );
  return [{ role, content: parts, ...(calls.length > 0 && { tool_calls: calls }) }];
}

function toMessage({ choices: [{ message }], usage }: any): object {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "bench/model",
    content: [{ type: "text", text: message.content }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens },
  };
}

function translate(reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  let block = "";
  let index = -1;
  let stopReason = "end_turn";
  let usage = { output_tokens: 0 };

  function start(type: string, fields: object): string {
    const stop = end();
    block = type;
    index++;
    return `${stop}${frame("content_block_start", { index, content_block: { type, ...fields } })}`;
  }
  function end(): string {
    return block === "" ? "" : frame("content_block_stop", { index });
  }
  function delta(type: string, field: string, text: string): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${field}":${
      JSON.stringify(text)
    }}}\n\n`;
  }

  function push(data: string): string {
    if (data === "[DONE]") {
      const ending = { delta: { stop_reason: stopReason, stop_sequence: null }, usage };
      return `${end()}${frame("message_delta", ending)}${frame("message_stop", {})}`;
    }
    const chunk = JSON.parse(data);
    if (chunk.usage) usage = { output_tokens: chunk.usage.completion_tokens };
    const choice = chunk.choices[0];
    if (choice === undefined) return "";
    if (choice.finish_reason === "tool_calls") stopReason = "tool_use";
    const { content, reasoning, tool_calls: calls } = choice.delta;
    if (calls) {
      const [call] = calls;
      const opening = call.id ? start("tool_use", { id: call.id, name: call.function.name, input: {} }) : "";
      return opening + delta("input_json_delta", "partial_json", call.function.arguments);
    }
    if (reasoning) {
      const opening = block === "thinking" ? "" : start("thinking", { thinking: "", signature: "" });
      return opening + delta("thinking_delta", "thinking", reasoning);
    }
    if (!content) return "";
    return (block === "text" ? "" : start("text", { text: "" })) + delta("text_delta", "text", content);
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const usage = { input_tokens: 1, output_tokens: 1 };
      const message = { id: "msg_1", type: "message", role: "assistant", content: [], usage };
      controller.enqueue(encoder.encode(frame("message_start", { message })));
    },
    async pull(controller) {
      while (true) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        let out = "";
        for (const line of lines) if (line.startsWith("data: ")) out += push(line.slice(6));
        if (out !== "") return controller.enqueue(encoder.encode(out));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function frame(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
