import Anthropic from "@anthropic-ai/sdk";
import { CLIENT_KEY } from "../kit/testbed.ts";
import { type Described, type Question, testTools } from "./cases.ts";
import { describeBlock, toUsage } from "./describe.ts";

testTools({
  name: "@anthropic-ai/sdk 1.x",
  ask: (question) => ask(question, [{ role: "user", content: question.prompt }]),
  search: (question) => search(question, [{ role: "user", content: question.prompt }]),
});

function connect(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: CLIENT_KEY, authToken: null, maxRetries: 0 });
}

const TOOLS: Record<Question["tools"], Anthropic.Beta.BetaToolUnion[]> = {
  "workspace": [{ type: "mcp_toolset", mcp_server_name: "workspace" }],
  "fetch": [{ type: "web_fetch_20250910", name: "web_fetch", max_uses: 2 }],
  "tool search": [
    { type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" },
    { type: "mcp_toolset", mcp_server_name: "workspace", default_config: { defer_loading: true } },
  ],
};

async function ask(question: Question, messages: Anthropic.Beta.BetaMessageParam[]): Promise<Described> {
  const { url, model, streamed, tools } = question;
  const { messages: api } = connect(url).beta;
  const body = { model, max_tokens: 1024, messages, tools: TOOLS[tools] };
  const { content, stop_reason, usage } = streamed
    ? await api.stream(body).finalMessage()
    : await api.create(body);
  return {
    blocks: content.map(describeBlock),
    stop: stop_reason,
    usage: toUsage(usage),
    again: (prompt) =>
      ask(question, [...messages, { role: "assistant", content }, { role: "user", content: prompt }]),
  };
}

async function search(
  question: Omit<Question, "tools">,
  messages: Anthropic.MessageParam[],
): Promise<Described> {
  const { url, model, streamed } = question;
  const { messages: api } = connect(url);
  const tools: Anthropic.ToolUnion[] = [{ type: "web_search_20250305", name: "web_search", max_uses: 2 }];
  const body = { model, max_tokens: 1024, messages, tools };
  const { content, stop_reason, usage } = streamed
    ? await api.stream(body).finalMessage()
    : await api.create(body);
  return {
    blocks: content.map(describeBlock),
    stop: stop_reason,
    usage: toUsage(usage),
    again: (prompt) =>
      search(question, [...messages, { role: "assistant", content }, { role: "user", content: prompt }]),
  };
}
