import { hostFacts } from "../dialects/mod.ts";
import type { Ask } from "../anthropic/ask.ts";
import { collectMessage } from "../anthropic/collect.ts";
import type { ResponseMessage, StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { toEvents } from "../anthropic/to_events.ts";
import { ApiError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { relay } from "../base/relay.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Answers `compaction: {type: "summarize"}` for upstreams without it: the model summarizes the conversation in an
 * ordinary turn, and the answer is one `compaction` block with `stop_reason: "compaction"`.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/compaction
 *
 * @throws {ApiError} `invalid_request_error` for another type of compaction; `api_error` if the model's answer is no
 * complete summary. An incomplete one would lose the conversation.
 */
export function withCompaction(askForRoute: (route: Route) => Ask): (route: Route) => Ask {
  return (route) => (request) => {
    const { compaction } = request;
    const isDoneUpstream = route.dialect.name === "anthropic" && hostFacts(route.upstream.preset).compacts;
    if (compaction === undefined || compaction === null || isDoneUpstream) return askForRoute(route)(request);
    return relay(async () => {
      if (!isObject(compaction) || compaction.type !== "summarize") {
        throw new ApiError("invalid_request_error", 'compaction.type: Input should be "summarize"');
      }
      const { instructions } = compaction;
      const summaryRequest = toSummaryRequest(request, typeof instructions === "string" ? instructions : "");
      return summarize(askForRoute(route)(summaryRequest));
    });
  };
}

async function* summarize(answer: AsyncGenerator<StreamEvent[]>): AsyncGenerator<StreamEvent[]> {
  yield toCompactionEvents(await collectMessage(answer));
}

const SUMMARY_PROMPT =
  "Summarize the conversation so far. The summary replaces it: whoever continues sees nothing else. Keep the user's " +
  "goals and wishes, what was decided and why, what was done and with which results, names, paths, numbers and code " +
  "that are still needed, open problems, and the next steps. Answer with the summary only.";

/** Returns the request for a summary: of the same conversation, without whatever shapes or cuts an ordinary answer. */
function toSummaryRequest(request: MessagesRequest, instructions: string): MessagesRequest {
  const { compaction: _compaction, stop_sequences: _stops, output_format: _format, ...rest } = request;
  const { tools, output_config, messages } = rest;
  const content = instructions === "" ? SUMMARY_PROMPT : `${SUMMARY_PROMPT}\n\n${instructions}`;
  return {
    ...rest,
    ...(output_config && { output_config: { ...output_config, format: undefined } }),
    // Some hosts require the tools of earlier calls. None may be called now.
    tool_choice: tools && tools.length > 0 ? { type: "none" } : undefined,
    messages: [...messages, { role: "user", content }],
  };
}

/** Converts the model's summary to the answer. */
function toCompactionEvents(message: ResponseMessage): StreamEvent[] {
  const { content, stop_reason: reason } = message;
  const texts = content.flatMap(({ type, text }) =>
    type === "text" && typeof text === "string" ? [text] : []
  );
  const summary = texts.join("").trim();
  if (summary === "" || reason !== "end_turn") {
    throw new ApiError(
      "api_error",
      `Cannot compact the conversation: the model's summary is ${
        summary === "" ? "empty" : `incomplete (${reason})`
      }`,
      { status: 502 },
    );
  }
  const block = { type: "compaction", content: summary };
  return toEvents({ ...message, content: [block], stop_reason: "compaction", stop_sequence: null });
}
