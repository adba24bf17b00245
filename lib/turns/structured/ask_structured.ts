import type { Ask } from "../../anthropic/ask.ts";
import { MessageAccumulator } from "../../anthropic/collect.ts";
import type { ResponseBlock, ResponseMessage, StreamEvent } from "../../anthropic/events.ts";
import { type ContentBlock, type MessagesRequest, parseBlock } from "../../anthropic/schema.ts";
import { ApiError, toApiError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { LossReport } from "../../dialects/loss.ts";
import type { Complaint } from "../../json_schema/complaint.ts";
import { WRAPPED_POINTER } from "../../json_schema/output/wrap.ts";
import { logWarning } from "../../observability/log.ts";
import { sumUsage, toUsage } from "../../server_tools/usage.ts";
import { toRouteLabel } from "../../upstreams/route_label.ts";
import type { Route } from "../../upstreams/upstream.ts";
import { type OutputContract, readOutputContract } from "./output_contract.ts";
import type { OutputFormat } from "./output_format.ts";
import { checkMessage, isFinished, untilLastTool, withContent, withHead } from "./structured_message.ts";

/** How an answer with an output schema is requested. */
export interface StructuredOptions {
  loss: LossReport;
  signal: AbortSignal;
  /** How often an invalid answer is requested again. */
  maxRetries: number;
  /** True if the client receives the text as it arrives. Then an invalid answer cannot be requested again. */
  live: boolean;
}

/** Options of {@linkcode askStructured}. */
export interface AskStructuredOptions {
  askTurns: (loss: LossReport) => (route: Route) => Ask;
  route: Route;
  format: OutputFormat;
  options: StructuredOptions;
}

/**
 * Asks a route for an answer that is valid under the schema of a format.
 *
 * @throws {ApiError} `invalid_request_error` if the schema cannot be used.
 */
export function askStructured(
  request: MessagesRequest,
  { askTurns, route, format, options }: AskStructuredOptions,
): AsyncGenerator<StreamEvent[]> {
  const contract = readOutputContract(request, format);
  const wraps = contract.needsWrapper && route.dialect.name !== "anthropic";
  // A wrapper can only be removed from a complete text.
  if (options.live && !wraps) return checkLive(askTurns(options.loss)(route)(request), contract);
  return askUntilValid(request, { askTurns, route, contract, options, wraps });
}

/** Passes an answer on as it arrives. Before its end, throws if its text is not valid. */
async function* checkLive(
  batches: AsyncGenerator<StreamEvent[]>,
  contract: OutputContract,
): AsyncGenerator<StreamEvent[]> {
  const accumulator = new MessageAccumulator();
  for await (const batch of batches) {
    for (const event of batch) accumulator.add(event);
    const end = batch.find((event) => event.type === "message_delta");
    if (end !== undefined && isFinished(end.delta.stop_reason, accumulator.content)) {
      const texts = accumulator.content.flatMap(({ type, text }) => type === "text" ? [String(text)] : []);
      const { complaints } = contract.checkTexts(texts);
      if (complaints !== undefined) {
        yield batch.slice(0, batch.indexOf(end));
        throw toInvalidAnswerError(complaints, { contract, attempts: 1 });
      }
    }
    yield batch;
  }
}

interface AttemptOptions {
  askTurns: (loss: LossReport) => (route: Route) => Ask;
  route: Route;
  contract: OutputContract;
  options: StructuredOptions;
  /** True if the model is asked for an object with the requested value as its member. */
  wraps: boolean;
}

async function* askUntilValid(
  first: MessagesRequest,
  { askTurns, route, contract, wraps, options: { loss, signal, maxRetries } }: AttemptOptions,
): AsyncGenerator<StreamEvent[]> {
  let request = wraps ? contract.wrap(first) : first;
  let usage: JsonObject = {};
  let start: StreamEvent | undefined;
  const toolBlocks: ResponseBlock[] = [];
  const attemptLoss = loss.of((path) => isAdded(path, first) ? undefined : path);
  try {
    for (let attempts = 1;; attempts++) {
      const { events, message } = await collectAnswer(askTurns(attemptLoss)(route)(request));
      usage = sumUsage(usage, message.usage);
      start ??= events.find(({ type }) => type === "message_start");
      const { content, complaints } = checkMessage(message, contract, wraps);
      if (complaints === undefined) {
        const unchanged = content === message.content && toolBlocks.length === 0;
        const answer = unchanged ? events : withContent(events, [...toolBlocks, ...content]);
        return yield attempts === 1 ? answer : withHead(answer, start, toUsage(usage));
      }
      // Tools are not run again. Their calls and results stay in the conversation, and in the message.
      toolBlocks.push(...untilLastTool(message.content));
      if (attempts > maxRetries) throw toInvalidAnswerError(complaints, { contract, attempts });
      const fields = { model: toRouteLabel(route), attempt: attempts, complaints: complaints.length };
      logWarning("An answer is not valid under its schema and is requested again", fields, "upstream");
      request = toCorrectionRequest(request, message, wraps ? complaints.map(toWrappedPath) : complaints);
    }
  } catch (error) {
    const disconnected = signal.aborted && !(error instanceof ApiError);
    throw toolBlocks.length > 0 && !disconnected ? toApiError(error).toFinal() : error;
  }
}

async function collectAnswer(
  batches: AsyncGenerator<StreamEvent[]>,
): Promise<{ events: StreamEvent[]; message: ResponseMessage }> {
  const accumulator = new MessageAccumulator();
  const events: StreamEvent[] = [];
  for await (const batch of batches) {
    for (const event of batch) accumulator.add(event);
    events.push(...batch);
  }
  return { events, message: accumulator.message() };
}

/** Returns the request for a corrected answer: the conversation, the invalid answer and the complaints. */
function toCorrectionRequest(
  request: MessagesRequest,
  { content }: ResponseMessage,
  complaints: readonly Complaint[],
): MessagesRequest {
  const answer = content.filter(({ type, text }) => type !== "text" || String(text).trim() !== "");
  const saysSomething = answer.some(({ type }) => !/thinking$/.test(type));
  const blocks: ContentBlock[] = saysSomething ? answer.map(parseBlock) : [];
  const list = complaints.map(({ path, message }) =>
    `- ${path.slice(0, MAX_PATH_CHARS) || "the answer"} ${message}`
  ).join("\n");
  const text = `Your answer is not valid under the requested JSON Schema:\n${list}\n` +
    "Answer again with the complete, corrected JSON value and nothing else.";
  return {
    ...request,
    messages: [
      ...request.messages,
      ...(blocks.length > 0 ? [{ role: "assistant" as const, content: blocks }] : []),
      { role: "user", content: [{ type: "text", text }] },
    ],
  };
}

/** Returns a complaint with the path that the model knows. */
function toWrappedPath({ path, ...complaint }: Complaint): Complaint {
  return { ...complaint, path: WRAPPED_POINTER + path };
}

/** True for the path of a message that the client did not send. */
function isAdded(path: string, { messages }: MessagesRequest): boolean {
  const [, at] = /^messages\.(\d+)/.exec(path) ?? [];
  return at !== undefined && Number(at) >= messages.length;
}

function toInvalidAnswerError(
  complaints: readonly Complaint[],
  { contract, attempts }: { contract: OutputContract; attempts: number },
): ApiError {
  const list = complaints.map(({ path, message }) => `${path || "the answer"} ${message}`).join("; ");
  const answers = attempts === 1 ? "the answer is" : `${attempts} answers are`;
  return new ApiError(
    "api_error",
    `Cannot answer in the requested format: ${answers} not valid under ${contract.path}.schema: ${list}`
      .slice(0, MAX_ERROR_CHARS).toWellFormed(),
    {
      status: 502,
      retryable: false,
      details: { paths: complaints.map(({ path }) => path.slice(0, MAX_PATH_CHARS).toWellFormed()) },
    },
  );
}

const MAX_ERROR_CHARS = 4000;
const MAX_PATH_CHARS = 300;
