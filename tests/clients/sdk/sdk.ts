import assert from "node:assert/strict";
import { type Block, parseBlocks } from "../kit/answers.ts";
import { TEXT, type WeatherInput } from "../kit/scenarios.ts";
import type { Route, Testbed } from "../kit/testbed.ts";

/** One major of the official SDK, as far as its tests use it; both majors fit without a cast. */
export interface Sdk {
  name: string;
  connect(options: Options): Client;
  /** Its error classes by name. For a class that a major does not have, its `APIError`. */
  errors: Record<ErrorName, abstract new (...args: never[]) => Error>;
  /** True if its types have `temperature`, `top_p` and `top_k`. */
  sampling: boolean;
}

/** Parameters of the tests of one major on one route. */
export interface Play {
  sdk: Sdk;
  testbed: Testbed;
  route: Route;
  /** Returns a client with the client's key and, by default, no retries. */
  connect(options?: Partial<Options>): Client;
  /** A question to the route's model. */
  ask(more?: Partial<Body>): Body;
}

/** How a client is set up. */
export interface Options {
  baseURL: string;
  apiKey?: string | null;
  authToken?: string | null;
  maxRetries?: number;
}

/** A connected client. */
export interface Client {
  messages: Messages & {
    stream(body: Body, options?: CallOptions): Stream;
    countTokens(body: Countable): PromiseLike<{ input_tokens: number }>;
  };
  beta: { messages: Messages };
  models: { list(): AsyncIterable<Model>; retrieve(id: string): PromiseLike<Model> };
}

/** A request whose tokens can be counted. */
export interface Countable {
  model: string;
  messages: { role: "user" | "assistant"; content: string | Param[] }[];
  system?: string;
  tools?: { name: string; description: string; input_schema: WeatherInput }[];
}

/** A request for a message. */
export interface Body extends Countable {
  max_tokens: number;
  stop_sequences?: string[];
  temperature?: number;
  top_p?: number;
  top_k?: number;
}

/** A block of a question. */
export type Param = Block | Image | ToolResult;

/** A picture in a question or in a tool's result. */
export interface Image {
  type: "image";
  source: { type: "base64"; media_type: "image/png"; data: string };
}

/** An answer. */
export interface Message {
  id: string;
  role: string;
  model: string;
  content: readonly unknown[];
  stop_reason: string | null;
  stop_sequence: string | null;
  usage: { input_tokens: number; output_tokens: number; cache_read_input_tokens: number | null };
}

/** The error classes that the tests name. */
export type ErrorName =
  | "APIError"
  | "APIUserAbortError"
  | "BadRequestError"
  | "AuthenticationError"
  | "PaymentRequiredError"
  | "PermissionDeniedError"
  | "NotFoundError"
  | "RateLimitError"
  | "InternalServerError";

interface Messages {
  create(body: Body & { stream?: false }, options?: CallOptions): PromiseLike<Message>;
}

interface Stream extends AsyncIterable<{ type: string }> {
  finalMessage(): Promise<Message>;
}

interface CallOptions {
  signal?: AbortSignal;
}

interface Model {
  type: string;
  id: string;
  display_name: string;
}

interface ToolResult {
  type: "tool_result";
  tool_use_id: string;
  content: string | ({ type: "text"; text: string } | Image)[];
  is_error?: boolean;
}

/** Checks that a message is the greeting of `scenarios.ts`, usage included. */
export function checkGreeting(message: Message, route: Route): void {
  assert.match(message.id, /^msg_/);
  assert.equal(message.role, "assistant");
  assert.equal(message.model, route.model);
  assert.deepEqual(parseBlocks(message.content), [{ type: "text", text: TEXT }]);
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(message.stop_sequence, null);
  assert.equal(message.usage.input_tokens, 200);
  assert.equal(message.usage.cache_read_input_tokens, 1000);
  assert.equal(message.usage.output_tokens, 42);
}

/** Reads all items into a list. The list keeps the items that were read before the source fails. */
export async function collect<T>(source: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const item of source) into.push(item);
  return into;
}

/** Returns the error of a promise that must be rejected. */
export async function rejection(failing: PromiseLike<unknown>): Promise<unknown> {
  return await failing.then(
    (value) => assert.fail(`it succeeded: ${JSON.stringify(value)}`),
    (error) => error,
  );
}
