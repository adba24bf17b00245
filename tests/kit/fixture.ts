import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { foldEvents, parseEvents } from "./events.ts";
import { type Json, objects, parseJson, text } from "./json.ts";

/** The content of a folder of `tests/fixtures/`. */
export interface Fixture {
  request: Json;
  /** The bodies that reached the upstream, one after another. */
  sent: Json[];
  /** The first of `sent`. */
  body: Json;
  /** Its method and URL, then its headers. */
  head: string;
  /** The status of the answer, and the losses that it reports. */
  status: number;
  losses: string[];
  /** The status and the headers of the answer. */
  answerHead: string;
  /** The types of the events of a streamed answer. */
  events: string[];
  /** The message, or the error, that the client receives. */
  answer: Json;
  /** The last event of a stream, or the whole answer. */
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
  const json = (file: string) => parseJson(read(file) || "{}");
  const sent = ["sent.json", "sent.1.json", "sent.2.json", "sent.3.json"].filter((file) => read(file) !== "")
    .map(json);
  const events = parseEvents(read("answer.sse"));
  const answerHead = read("answer.head");
  assert.ok(answerHead !== "", `tests/fixtures/${name} holds a fixture`);
  const whole = events.some(({ type }) => type === "message_start")
    ? foldEvents(events)
    : json("answer.json");
  return {
    request: json("request.json"),
    sent,
    body: sent[0] ?? {},
    head: read("sent.head") || read("sent.1.head"),
    status: Number.parseInt(answerHead, 10),
    losses: /^x-gateway-loss: (.*)$/m.exec(answerHead)?.[1]?.split(",") ?? [],
    answerHead,
    events: events.map(({ type }) => type),
    answer: whole,
    last: events.at(-1) ?? json("answer.json"),
    next: json("next.sent.json"),
    end: read("sent.end").trim(),
  };
}

/** Returns the calls of an answer: name and input. */
export function callsOf({ answer }: Fixture): [name: string, input: unknown][] {
  return objects(answer.content).filter(({ type }) => type === "tool_use").map((
    { name, input },
  ) => [text(name), input]);
}

/** Returns the messages of a chat completion request that have this role. */
export function messagesOf(body: Json, role: string): Json[] {
  return objects(body.messages).filter((message) => message.role === role);
}
