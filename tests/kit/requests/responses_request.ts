import { isJson, type Json, objects, text } from "../json.ts";

/**
 * Translates a request of the Responses API to one of Anthropic's API, without any code of the gateway.
 *
 * `seal` seals a reasoning item for a client.
 */
export function fromResponsesRequest(request: Json, seal: (item: Json) => string): Json {
  const { instructions, input, max_output_tokens, tools, text: output, reasoning, temperature, top_p } =
    request;
  const [first, ...rest] = objects(input);
  const headed = first?.role === "developer";
  const choice = toToolChoice(request);
  const format = isJson(output) && isJson(output.format) ? output.format : undefined;
  const { effort = undefined, summary = undefined } = isJson(reasoning) ? reasoning : {};
  return {
    model: request.model,
    max_tokens: max_output_tokens,
    ...(typeof instructions === "string" && { system: [{ type: "text", text: instructions }] }),
    ...(headed && { system: toBlocks(first.content) }),
    messages: (headed ? rest : objects(input)).map((item) => toMessage(item, seal)),
    tools: objects(tools).map(toTool),
    ...(choice && { tool_choice: choice }),
    ...(summary === "auto" && { thinking: { type: "adaptive" } }),
    output_config: {
      effort: effort === "none" ? undefined : effort,
      format: format && { schema: format.schema },
    },
    temperature,
    top_p,
  };
}

function toMessage(item: Json, seal: (item: Json) => string): Json {
  switch (item.type) {
    case "reasoning":
      return { role: "assistant", content: [{ type: "redacted_thinking", data: seal(item) }] };
    case "function_call":
      return {
        role: "assistant",
        content: [{
          type: "tool_use",
          id: item.call_id,
          name: item.name,
          input: JSON.parse(text(item.arguments)),
        }],
      };
    case "function_call_output":
      return {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: item.call_id, content: toBlocks(item.output) }],
      };
    default:
      return { role: item.role, content: toBlocks(item.content) };
  }
}

function toBlocks(content: unknown): Json[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objects(content).map((part) => {
    const { type, prompt_cache_breakpoint: mark, ...fields } = part;
    const marked = isJson(mark) ? { cache_control: { type: "ephemeral" } } : {};
    switch (type) {
      case "input_image": {
        const source = toSource(text(fields.image_url));
        return { type: "image", source, ...marked };
      }
      case "input_file":
        return {
          type: "document",
          title: fields.filename,
          source: toSource(text(fields.file_data)),
          ...marked,
        };
      default:
        return { type: "text", text: fields.text, ...marked };
    }
  });
}

function toSource(url: string): Json {
  const [, media_type, data] = /^data:([^;]+);base64,(.*)$/s.exec(url) ?? [];
  return data ? { type: "base64", media_type, data } : { type: "url", url };
}

function toTool({ name, description, parameters, strict }: Json): Json {
  return { name, description, input_schema: parameters, strict };
}

function toToolChoice({ tool_choice: choice, parallel_tool_calls: parallel }: Json): Json | undefined {
  const single = parallel === false && { disable_parallel_tool_use: true };
  if (isJson(choice)) return { type: "tool", name: choice.name, ...single };
  if (choice === "required") return { type: "any", ...single };
  if (choice === "none") return { type: "none" };
  return choice === "auto" || single ? { type: "auto", ...single } : undefined;
}
