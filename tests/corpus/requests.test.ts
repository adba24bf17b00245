import assert from "node:assert/strict";
import { test } from "node:test";
import { seal } from "../../lib/dialects/sealed.ts";
import { dialectFor } from "../kit/dialects.ts";
import { HOST_NAMES, type HostName } from "../../lib/config/presets.ts";
import { toContext } from "../properties/generators/families.ts";
import { findUnreportedLosses, translateRequest } from "../properties/unreported_losses.ts";
import { readCorpus, type Recording } from "./corpus.ts";
import { toMessagesRequest, toPlain } from "../kit/requests/chat_request.ts";
import { isJson, type Json, parseJson, text } from "../kit/json.ts";

/** The host names of the recordings, and the preset of each. */
const HOSTS: readonly (readonly [host: RegExp, name: HostName])[] = [
  [/openrouter\.ai$/, "openrouter"],
  [/api\.openai\.com$/, "openai"],
  [/azure\.com$/, "azure"],
  [/googleapis\.com$/, "gemini"],
  [/groq\.com$/, "groq"],
  [/deepseek\.com$/, "deepseek"],
  [/mistral\.ai$/, "mistral"],
  [/x\.ai$/, "xai"],
  [/z\.ai$/, "zai"],
  [/moonshot/, "moonshot"],
  [/ollama/i, "ollama"],
];

const recordings = readCorpus();

if (recordings === undefined) {
  const skip = "there is no ../shared/corpus beside this checkout";
  console.log(`corpus of requests: skipped: ${skip}`);
  test("Dialect.toBody() translates every recorded request", { skip }, () => {});
} else {
  const withRequest = recordings.filter((one): one is Recording & { indexedRequest: Json } =>
    one.indexedRequest !== undefined
  );
  const native = withRequest.filter(({ kind }) => kind.startsWith("anthropic."));
  const chats = withRequest.filter(({ kind }) => kind === "chat.completions");
  console.log(`corpus of requests: ${native.length} of Anthropic's, ${chats.length} of chat completions`);

  for (const { file, indexedRequest: recorded } of native) {
    test(`Dialect.toBody() sends or reports as lost every part of ${file}`, () => {
      const request = toRequest(recorded);
      for (const name of HOST_NAMES) checkLosses(request, name);
    });

    test(`Dialect.toBody() translates ${file} to chat completions without unreported changes`, () => {
      checkReturn(toRequest(recorded), "openrouter");
    });
  }

  for (const { file, host, indexedRequest: recorded } of chats) {
    test(`Dialect.toBody() restores ${file} from the Messages API`, () => {
      const name = HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? "other";
      const request = toMessagesRequest(recorded, sealed(text(recorded.model)));
      checkLosses(request, name);
      checkReturn(request, name);
    });
  }
}

/** Adds `max_tokens`, which a request of count_tokens does not have. */
function toRequest(recorded: Json): Json {
  return { max_tokens: 4096, ...recorded };
}

function sealed(model: string): (details: Json[]) => string {
  return (details) => seal(model, details);
}

function checkLosses(request: Json, name: HostName): void {
  const model = text(request.model);
  // The sealed value contains the thinking as well.
  const sealed = JSON.stringify(request).includes('"signature":"orgw1.');
  const ignored = sealed ? [/^messages\.\d+\.content\.\d+\.thinking$/] : [];
  const target = { dialect: dialectFor(name, "auto", model), toContext: () => toContext(model), ignored };
  assert.deepEqual(findUnreportedLosses(request, target), [], name);
}

/** Translates a request to chat completions and back; only reported losses may differ. */
function checkReturn(request: Json, name: HostName): void {
  const { body, loss } = toChat(request, name);
  // Content that is moved or reworded is not compared.
  if (loss.some(([path, action]) => path.startsWith("messages.") && action !== "dropped")) return;
  const expected = structuredClone(request);
  const actual = toMessagesRequest(body, sealed(text(request.model)));
  for (const [path, action] of loss) {
    const [field = ""] = path.split(".");
    remove(expected, path.split("."));
    if (action !== "dropped" && field !== "messages") {
      for (const one of [expected, actual]) delete one[field];
    }
  }
  assert.deepEqual(toPlain(actual), toPlain(expected));
}

/** Removes the member at a path; in a list, the others keep their indexes. */
function remove(from: unknown, [step = "", ...more]: readonly string[]): void {
  if (Array.isArray(from)) {
    if (more.length === 0) from[Number(step)] = undefined;
    else remove(from[Number(step)], more);
  } else if (isJson(from)) {
    if (more.length === 0) delete from[step];
    else remove(from[step], more);
  }
}

function toChat(request: Json, name: HostName): { body: Json; loss: [path: string, action: string][] } {
  const model = text(request.model);
  const dialect = dialectFor(name, "openai", model);
  const { body, loss } = translateRequest(request, { dialect, toContext: () => toContext(model) });
  return { body: parseJson(body), loss: loss.entries };
}
