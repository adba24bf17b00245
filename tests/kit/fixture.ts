import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseEvents } from "./events.ts";
import { isJson, type Json, objects, text } from "./json.ts";
import { foldEvents } from "./answer_text.ts";

/** What a folder of `tests/fixtures/` holds, as it was written down. */
export interface Fixture {
  request: Json;
  /** The bodies that reached the upstream, one after another. */
  sent: Json[];
  /** The first of them. */
  body: Json;
  /** Its head: method and address, then headers. */
  head: string;
  /** The answer's status, and the losses that it reports. */
  status: number;
  losses: string[];
  /** The answer's head. */
  answerHead: string;
  /** The events of the answer, where it is a stream, by name. */
  events: string[];
  /** The answer as the client understands it: a message, or what else came. */
  answer: Json;
  /** The last thing that was told. */
  last: Json;
  /** The second request of a conversation. */
  next: Json;
  end: string;
}

const ROOT = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Reads a folder of `tests/fixtures/`. */
export function readFixture(name: string): Fixture {
  const read = (file: string) =>
    existsSync(`${ROOT}${name}/${file}`) ? readFileSync(`${ROOT}${name}/${file}`, "utf8") : "";
  const json = (file: string) => toJson(read(file) || "{}");
  const sent = ["sent.json", "sent.1.json", "sent.2.json", "sent.3.json"].filter((file) => read(file) !== "")
    .map(json);
  const frames = parseEvents(read("answer.sse"));
  const answerHead = read("answer.head");
  assert.ok(answerHead !== "", `tests/fixtures/${name} holds a fixture`);
  const whole = frames.some(({ event }) => event === "message_start")
    ? foldEvents(frames)
    : json("answer.json");
  return {
    request: json("request.json"),
    sent,
    body: sent[0] ?? {},
    head: read("sent.head") || read("sent.1.head"),
    status: Number.parseInt(answerHead, 10),
    losses: /^x-gateway-loss: (.*)$/m.exec(answerHead)?.[1]?.split(",") ?? [],
    answerHead,
    events: frames.map(({ event }) => event),
    answer: whole,
    last: frames.at(-1)?.data ?? json("answer.json"),
    next: json("next.sent.json"),
    end: read("sent.end").trim(),
  };
}

function toJson(json: string): Json {
  const value: unknown = JSON.parse(json);
  assert.ok(isJson(value), "not a JSON object");
  return value;
}

/** The calls of an answer: name and input. */
export function callsOf({ answer }: Fixture): [name: string, input: unknown][] {
  return objects(answer.content).filter(({ type }) => type === "tool_use").map((
    { name, input },
  ) => [text(name), input]);
}

/** The messages of a chat completion request that have this role. */
export function messagesOf(body: Json, role: string): Json[] {
  return objects(body.messages).filter((message) => message.role === role);
}
