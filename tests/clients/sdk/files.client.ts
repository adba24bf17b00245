import assert from "node:assert/strict";
import { describe } from "node:test";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import Anthropic0, { toFile as toFile0 } from "anthropic-sdk-0";
import { DATA_STORES, setStoreStage } from "../kit/data_store.ts";
import { greeting } from "../kit/scenarios.ts";
import { collect } from "./sdk.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, test, TRANSLATED } from "../kit/testbed.ts";

const TEXT = "Zürich, 漢字";

for (const { name: kind, skip, open } of DATA_STORES) {
  describe(`files of the official SDK, in ${kind}`, { skip: NO_OWN_GATEWAY || skip }, () => {
    const testbed = setStoreStage(open);
    const options = () => ({ baseURL: testbed.url, apiKey: CLIENT_KEY, authToken: null, maxRetries: 0 });

    test("upload, list, retrieveMetadata, download and delete, 1.x", async () => {
      const { files, messages } = new Anthropic(options());
      const uploaded = [];
      for (const name of ["one.txt", "two.txt", "three.txt"]) {
        uploaded.push(
          await files.upload({ file: await toFile(Buffer.from(TEXT), name), expires_in_seconds: 3600 }),
        );
      }
      const [file] = uploaded;
      assert.ok(file !== undefined);
      assert.deepEqual([file.filename, file.mime_type, file.size_bytes], ["one.txt", "text/plain", 15]);
      assert.deepEqual(await files.retrieveMetadata(file.id), file);
      const listed = await collect(files.list({ limit: 1 }));
      assert.deepEqual(listed.map(({ id }) => id), uploaded.map(({ id }) => id).reverse());
      assert.equal(await (await files.download(file.id)).text(), TEXT);
      testbed.upstream.script(greeting);
      await messages.create({
        model: TRANSLATED.model,
        max_tokens: 16,
        messages: [{
          role: "user",
          content: [{ type: "document", source: { type: "file", file_id: file.id } }, {
            type: "text",
            text: "?",
          }],
        }],
      });
      assert.ok(JSON.stringify(testbed.upstream.received[0]?.body).includes(TEXT));
      for (const { id } of uploaded) assert.equal((await files.delete(id)).type, "file_deleted");
      await assert.rejects(async () => await files.retrieveMetadata(file.id), Anthropic.NotFoundError);
    });

    test("beta.files.upload, list, download and delete, 0.x", async () => {
      const { files } = new Anthropic0(options()).beta;
      const uploaded = [];
      for (const name of ["one.txt", "two.txt", "three.txt"]) {
        uploaded.push(
          await files.upload({ file: await toFile0(Buffer.from(TEXT), name, { type: "text/plain" }) }),
        );
      }
      const listed = await collect(files.list({ limit: 1 }));
      assert.deepEqual(listed.map(({ id }) => id), uploaded.map(({ id }) => id).reverse());
      const [file] = uploaded;
      assert.ok(file !== undefined);
      assert.equal(await (await files.download(file.id)).text(), TEXT);
      for (const { id } of uploaded) assert.equal((await files.delete(id)).id, id);
    });
  });
}
