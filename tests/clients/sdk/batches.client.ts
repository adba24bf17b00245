import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import Anthropic0 from "anthropic-sdk-0";
import { DATA_STORES, setStoreStage } from "../kit/data_store.ts";
import { collect } from "./sdk.ts";
import { greeting, TEXT } from "../kit/scenarios.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, test, TRANSLATED } from "../kit/testbed.ts";

/** The calls of both majors about batches. */
type Client = Pick<Anthropic, "messages">;

const params = {
  model: TRANSLATED.model,
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Greet me" }],
};

for (const { name: kind, skip, open } of DATA_STORES) {
  describe(`message batches of the official SDK, in ${kind}`, { skip: NO_OWN_GATEWAY || skip }, () => {
    const testbed = setStoreStage(open);
    const options = () => ({ baseURL: testbed.url, apiKey: CLIENT_KEY, authToken: null, maxRetries: 0 });
    const clients: [name: string, connect: () => Client][] = [
      ["1.x", () => new Anthropic(options())],
      // The calls and answers are the same; the types of the majors differ in names of models.
      ["0.x", () => new Anthropic0(options()) as unknown as Client],
    ];

    for (const [name, connect] of clients) {
      test(`create, retrieve, results, list, cancel and delete, ${name}`, async () => {
        testbed.upstream.always(greeting);
        const { batches } = connect().messages;
        const created = await batches.create({
          requests: [
            { custom_id: "good", params },
            { custom_id: "bad", params: { ...params, messages: [] } },
          ],
        });
        assert.equal(created.processing_status, "in_progress");
        let batch = created;
        while (batch.processing_status !== "ended") {
          await wait(20);
          batch = await batches.retrieve(created.id);
        }
        assert.deepEqual({ ...batch.request_counts }, {
          processing: 0,
          succeeded: 1,
          errored: 1,
          canceled: 0,
          expired: 0,
        });
        const results = await collect(await batches.results(created.id));
        const [good, bad] = results;
        assert.ok(good?.custom_id === "good" && good.result.type === "succeeded");
        const [block] = good.result.message.content;
        assert.ok(block?.type === "text" && block.text === TEXT);
        assert.ok(bad?.custom_id === "bad" && bad.result.type === "errored");
        assert.equal(bad.result.error.error.type, "invalid_request_error");
        const listed = await collect(batches.list({ limit: 1 }));
        assert.ok(listed.some(({ id }) => id === created.id));
        assert.equal((await batches.cancel(created.id)).processing_status, "ended");
        assert.equal((await batches.delete(created.id)).type, "message_batch_deleted");
        await assert.rejects(async () => await batches.retrieve(created.id), { status: 404 });
      });
    }
  });
}
