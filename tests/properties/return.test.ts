import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seal } from "../../lib/dialects/sealed.ts";
import { dialectFor } from "../kit/dialects.ts";
import { HOST_NAMES } from "../../lib/config/presets.ts";
import { conversations, removeLosses } from "./generators/conversations.ts";
import { toContext } from "./generators/families.ts";
import { translateRequest } from "./unreported_losses.ts";
import { toMessagesRequest, toPlain } from "../kit/requests/chat_request.ts";
import { type Json, objects, parseJson } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";
import { MODELS } from "../kit/requests/request.ts";

const RUNS = { seed: SEED, numRuns: 150 };

const MODEL = MODELS.chat;

function sealed(text: string): string {
  return seal(MODEL, [{ type: "reasoning.text", text, format: "unknown", index: 0 }]);
}

for (const name of HOST_NAMES.filter((name) => name !== "anthropic")) {
  test(`Dialect.toBody() translates a conversation to chat completions without unreported changes (${name})`, () => {
    fc.assert(
      fc.property(conversations(sealed), (request) => {
        const target = { dialect: dialectFor(name, "openai", MODEL), toContext: () => toContext(MODEL) };
        const { body, loss } = translateRequest(request, target);
        const chat = parseJson(body);
        const expected = structuredClone(request);
        const actual = toMessagesRequest(chat, (details) => seal(MODEL, details));
        removeLosses(expected, actual, loss);
        const strict = !OWN_IDS.has(name);
        assert.deepEqual(withoutHostIds(toPlain(actual), strict), withoutHostIds(toPlain(expected), strict));
      }),
      RUNS,
    );
  });
}

/** Hosts that accept only ids in one form: there, only equality of ids is compared. */
const OWN_IDS = new Set(["openai", "azure", "mistral"]);

/** Removes the placeholder of a file that a host does not accept; without `strict`, numbers the ids. */
function withoutHostIds({ blocks, ...plain }: Json, strict: boolean): Json {
  const ids: unknown[] = [];
  const toId = (id: unknown) => {
    if (strict || id === undefined) return id;
    if (!ids.includes(id)) ids.push(id);
    return ids.indexOf(id);
  };
  const kept = objects(blocks).filter(({ text }) => !/(Image|Document) omitted/.test(String(text)));
  return {
    ...plain,
    blocks: kept.map((one) => ({ ...one, id: toId(one.id), tool_use_id: toId(one.tool_use_id) })),
  };
}
