import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import { nextTask } from "../../runtime/next_task.ts";
import { readJsonBody } from "../read_json.ts";
import type { RequestLog } from "../request_log/request_log.ts";
import type { GatewayContext } from "../context.ts";
import { needsClientKey, toKeptCaller } from "../kept_caller.ts";
import type { AnswerRequest } from "../jobs/answer_request.ts";
import { fingerprint } from "./fingerprint.ts";

/** A request for a message. */
interface KeyedCall {
  request: Request;
  gateway: GatewayContext;
  requestLog: RequestLog;
}

/** An answer to be started, independent of the client's connection. */
export interface DetachedAnswer {
  /** The client's request with its body, whose signal never fires. */
  request: Request;
  /** Identifies the recorded steps of the answer; undefined without a store. */
  run: string | undefined;
}

/** How a request with an idempotency key is answered. */
export interface KeyedOptions {
  stream: boolean;
  /** Starts a new answer. */
  start(answer: DetachedAnswer): Promise<Response>;
  /**
   * Throws if the caller may not receive an answer to the body, such as a kept one after a change of `MODEL_ACCESS`.
   */
  assertAllowed(body: unknown): Promise<void>;
}

/**
 * Reads the header `idempotency-key`. Returns `undefined` if the request has none.
 *
 * @throws {ApiError} `invalid_request_error` if the key is too long or has other characters than printable ASCII.
 */
export function readIdempotencyKey({ headers }: Request): string | undefined {
  const key = headers.get("idempotency-key")?.trim() ?? "";
  if (key === "") return undefined;
  if (/^[ -~]{1,255}$/.test(key)) return key;
  throw new ApiError(
    "invalid_request_error",
    "idempotency-key: Input should be 1 to 255 printable ASCII characters",
  );
}

/**
 * Answers a request with an idempotency key: with the kept or running answer of the key, or with a new one. The answer
 * is made to its end even if the client leaves.
 *
 * The body is read within the slots of token counts. A repeat needs no slot of an answer: the answer that it joins has
 * one.
 *
 * @throws {ApiError} `conflict_error` if the key belongs to a request with another body; what `assertAllowed` throws.
 */
export async function answerKeyed(
  { request, gateway, requestLog: { caller } }: KeyedCall,
  key: string,
  { stream, start, assertAllowed }: KeyedOptions,
): Promise<Response> {
  const release = await gateway.limits.admitTokenCount(caller);
  const count = gateway.bodies.start(caller.client);
  let body: unknown;
  try {
    body = await readJsonBody(request, count, gateway);
  } finally {
    count.end(); // the answer counts the body again, for as long as it takes
    release();
  }
  const { url, headers } = request;
  await nextTask(); // a large body takes time to compare
  const digest = await fingerprint(body, { stream });
  await nextTask();
  const owner = await ownerOf(caller);
  return await gateway.keptAnswers.answer({
    owner,
    key,
    fingerprint: digest,
    signal: request.signal,
    assertRepeatAllowed: () => assertAllowed(body),
    jobRequest: gateway.engine === undefined || needsClientKey(owner, gateway.config)
      ? undefined
      : JSON.stringify(
        {
          ...toKeptCaller(caller, request),
          owner,
          correlationId: caller.correlationId ?? "",
          body,
          stream,
        } satisfies AnswerRequest,
      ),
    start: (run) =>
      start({ request: new Request(url, { method: "POST", headers, body: JSON.stringify(body) }), run }),
  });
}
