import assert from "node:assert/strict";
import { z } from "zod";
import { greeting, PIECES } from "../kit/scenarios.ts";
import { checkGreeting, collect, type ErrorName, type Play, rejection } from "./sdk.ts";
import { test } from "../kit/testbed.ts";
import { hold, type Refuse, refuse, reply, tooLong, tooMany } from "../../kit/model/turns.ts";

/**
 * Tests of the errors and cuts that one major of the official SDK reports, and of clients that disconnect, on one
 * route.
 */
export function testFailures({ sdk, testbed, route, connect, ask }: Play): void {
  for (const { refused, name, translated = refused.status, words = refused.message } of REFUSALS) {
    const status = route.name === "translated" ? translated : refused.status;
    test(`the upstream's ${refused.status} "${refused.message}" throws ${name}`, async () => {
      testbed.upstream.always(refused);
      const again = status === 429 || status >= 500;
      const error = await rejection(connect({ maxRetries: again ? 0 : 2 }).messages.create(ask()));
      assert.ok(error instanceof sdk.errors[name], `it is ${error}`);
      const seen = ErrorFields.parse(error);
      assert.equal(seen.status, status);
      assert.equal(seen.type, refused.type);
      assert.ok(seen.message.includes(words), `it says ${seen.message}`);
      assert.ok(seen.requestID, "it has no request id");
      assert.equal(seen.headers?.get("retry-after"), refused.headers["retry-after"] ?? null);
      if (!again) assert.equal(testbed.upstream.received.length, 1, "the client has tried again");
    });
  }

  test("an error before the stream is a status, not an event", async () => {
    testbed.upstream.always(tooMany(7));
    const error = await rejection(collect(connect().messages.stream(ask())));
    assert.ok(error instanceof sdk.errors.RateLimitError, `it is ${error}`);
  });

  test("the SDK tries again after a 429", async () => {
    testbed.upstream.script(tooMany(1), greeting);
    checkGreeting(await connect({ maxRetries: 1 }).messages.create(ask()), route);
  });

  for (const ending of ["error", "cut"] as const) {
    test(`a stream that ends in ${ending === "cut" ? "a cut" : "an error"} gives its text, then an APIError`, async () => {
      testbed.upstream.script(reply({ text: PIECES, ending }));
      const events: { type: string }[] = [];
      const error = await rejection(collect(connect().messages.stream(ask()), events));
      assert.ok(error instanceof sdk.errors.APIError, `it is ${error}`);
      assert.match(ErrorFields.parse(error).type ?? "", /^(api|overloaded|timeout)_error$/);
      assert.deepEqual(events[0]?.type, "message_start");
      assert.match(JSON.stringify(events), /Hello/);
      assert.ok(events.every(({ type }) => type !== "message_stop"), "the stream pretends to be whole");
    });
  }

  test("a stream that the client leaves is left upstream too", async () => {
    testbed.upstream.script(reply({ text: PIECES, ending: "silence" }));
    const controller = new AbortController();
    const stream = connect().messages.stream(ask(), { signal: controller.signal });
    const error = await rejection((async () => {
      for await (const { type } of stream) if (type === "content_block_delta") controller.abort();
    })());
    assert.ok(error instanceof sdk.errors.APIUserAbortError, `it is ${error}`);
    assert.equal(await testbed.upstream.received[0]?.ended, "left");
  });

  for (const streamed of [false, true]) {
    test(`a client that leaves a silent upstream is followed, ${streamed ? "streamed" : "in one piece"}`, async () => {
      testbed.upstream.script(hold());
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const arrived = testbed.upstream.next();
      const failed = rejection(
        streamed
          ? collect(connect().messages.stream(ask(), options))
          : connect().messages.create(ask(), options),
      );
      const { ended } = await arrived;
      controller.abort();
      assert.ok(await failed instanceof sdk.errors.APIUserAbortError);
      assert.equal(await ended, "left");
    });
  }
}

interface Refusal {
  refused: Refuse;
  name: ErrorName;
  /** The status that the client sees of a translated answer, if it is not the upstream's. */
  translated?: number;
  /** The part of the upstream's message that must be kept, if not all. */
  words?: string;
}

const REFUSALS: Refusal[] = [
  { refused: tooMany(7), name: "RateLimitError" },
  { refused: tooLong(140_000, 131_072), name: "BadRequestError" },
  { refused: refuse(400, "invalid_request_error", "Invalid schema for 'weather'"), name: "BadRequestError" },
  { refused: refuse(401, "authentication_error", "User not found."), name: "AuthenticationError", words: "" },
  { refused: refuse(402, "billing_error", "Insufficient credits"), name: "PaymentRequiredError" },
  { refused: refuse(403, "permission_error", "It requires moderation"), name: "PermissionDeniedError" },
  { refused: refuse(404, "not_found_error", "No endpoints support tool use"), name: "NotFoundError" },
  { refused: refuse(502, "api_error", "Provider returned error"), name: "InternalServerError" },
  { refused: refuse(503, "overloaded_error", "No instances"), name: "InternalServerError", translated: 529 },
];

const ErrorFields = z.looseObject({
  status: z.number().optional(),
  type: z.string().nullish(),
  message: z.string(),
  requestID: z.string().nullish(),
  headers: z.instanceof(Headers).optional(),
});
