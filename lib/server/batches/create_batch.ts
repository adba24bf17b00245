import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import type { BatchStore, NewItem } from "../../durable/batch_store.ts";
import type { QuotaLeft } from "../../durable/usage.ts";
import { readPieces } from "../body/body_pieces.ts";
import type { GatewayContext } from "../context.ts";
import { parseJson } from "../read_json.ts";
import { toKeptCaller } from "../kept_caller.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { requireBatches } from "./find_batch.ts";
import { toBatchView, toResultsUrl } from "./batch_view.ts";
import { RequestSplitter } from "./request_splitter.ts";

/** Maximum size of a batch. Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing */
const MAX_MIB = 256;
const MAX_REQUESTS = 100_000;

/** Requests, and characters of them, that are written in one transaction. */
const MAX_WRITTEN = 500;
const MAX_WRITTEN_CHARS = 4 * 1024 * 1024;

/**
 * Answers `POST /v1/messages/batches`. The body is stored while it arrives; at most one request and one
 * transaction of it are in memory. The requests are checked when they are answered.
 *
 * @throws {ApiError} `invalid_request_error` if the body is no list of requests with unique ids; `request_too_large`
 * past 256 MiB; an error of the quota.
 */
export async function createBatch(
  { request, gateway, requestLog: { caller } }: RoutedCall,
): Promise<Response> {
  const { store, runner, usage } = requireBatches(gateway);
  const release = await gateway.limits.admitTokenCount(caller);
  try {
    const owner = await ownerOf(caller);
    const id = gateway.newId("msgbatch_");
    const number = await store.begin({
      id,
      owner,
      caller: JSON.stringify(toKeptCaller(caller, request)),
      now: gateway.clock.now(),
    });
    try {
      const size = await writeRequests(request, gateway, { store, number, left: await usage.left(owner) });
      await store.complete(number, { ...size, now: gateway.clock.now() });
    } catch (error) {
      await store.discard(number);
      throw error;
    }
    runner.wake(owner, caller);
    const batch = await store.find(owner, id);
    if (batch === undefined) throw new Error("Cannot find the batch that was created");
    return Response.json(toBatchView(batch, toResultsUrl(request, id)));
  } finally {
    release();
  }
}

async function writeRequests(
  request: Request,
  gateway: GatewayContext,
  { store, number, left }: { store: BatchStore; number: number; left: QuotaLeft },
): Promise<{ count: number; bytes: number }> {
  const splitter = new RequestSplitter();
  let count = 0;
  let bytes = 0;
  let waiting: NewItem[] = [];
  let waitingChars = 0;
  const write = async () => {
    const duplicate = await store.add(number, waiting);
    if (duplicate !== undefined) {
      throw new ApiError(
        "invalid_request_error",
        `requests.${duplicate}.custom_id: Another request of the batch has this id`,
      );
    }
    waiting = [];
    waitingChars = 0;
  };
  for await (const piece of readPieces(request, { ...gateway, maxMiB: MAX_MIB })) {
    bytes += piece.byteLength;
    left.check(bytes);
    for (const text of splitter.push(piece)) {
      if (count >= MAX_REQUESTS) {
        throw new ApiError(
          "invalid_request_error",
          `requests: List should have at most ${MAX_REQUESTS} items`,
        );
      }
      const item = parseItem(text, count++);
      waiting.push(item);
      waitingChars += item.params.length;
      if (waiting.length >= MAX_WRITTEN || waitingChars >= MAX_WRITTEN_CHARS) await write();
    }
  }
  splitter.end();
  await write();
  if (count === 0) {
    throw new ApiError(
      "invalid_request_error",
      "requests: List should have at least 1 item after validation, not 0",
    );
  }
  return { count, bytes };
}

/** Checks what identifies a request. Its `params` are checked when it is answered. */
function parseItem(text: string, nth: number): NewItem {
  const path = `requests.${nth}`;
  const value = parseRequest(text, path);
  const customId = isObject(value) ? value.custom_id : undefined;
  const params = isObject(value) ? value.params : undefined;
  if (customId === undefined) throw fieldError(`${path}.custom_id: Field required`);
  if (typeof customId !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(customId)) {
    throw fieldError(`${path}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`);
  }
  if (params === undefined) throw fieldError(`${path}.params: Field required`);
  if (!isObject(params)) throw fieldError(`${path}.params: Input should be an object`);
  return { nth, customId, params: JSON.stringify(params) };
}

/** Parses a request of a batch. An error names its place in the batch. */
function parseRequest(text: string, path: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const isField = /^[\w.]+: /.test(error.message);
    throw fieldError(`${path}${isField ? "." : ": "}${error.message}`);
  }
}

function fieldError(message: string): ApiError {
  return new ApiError("invalid_request_error", message);
}
