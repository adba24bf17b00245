import { dueOf, NONCE, type Plan } from "./plan.ts";
import { parseEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";

/** What a client saw of the answer to its question. */
export interface Transcript {
  plan: Plan;
  /** 0 where no answer came. */
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  /** How it ended: as HTTP says, by a broken connection, by the client itself, or not at all. */
  end: "whole" | "cut" | "left" | "never";
}

/** How an answer came out; `wrong` says which invariants it breaks. */
export interface Verdict {
  outcome: "message" | "message_stop" | "error event" | "error status" | "left";
  wrong: string[];
}

/** The gateway's own key, which no client may ever see. */
export const KEY = "soak-key-of-the-gateway";

/** Judges one answer by the invariants of the soak. */
export function judge(transcript: Transcript): Verdict {
  const { plan, body, end } = transcript;
  const wrong: string[] = [];
  const others = (body.match(NONCE) ?? []).filter((nonce) => nonce !== plan.nonce);
  if (others.length > 0) wrong.push(`it tells of another: ${others[0]}`);
  if (body.includes(KEY)) wrong.push("it tells the gateway's key");
  if (end === "left") return { outcome: "left", wrong: [...wrong, ...judgePart(transcript)] };
  if (end === "cut") wrong.push("the connection breaks");
  if (end === "never") wrong.push("it never ends");
  const { outcome, said, wrong: more } = judgeWhole(transcript);
  wrong.push(...more);
  const succeeded = outcome === "message" || outcome === "message_stop";
  if (succeeded && said !== toText(plan)) wrong.push("what it says is not what was said");
  if (succeeded && dueOf(plan) === "failure") wrong.push("a fault looks like a success");
  if (!succeeded && dueOf(plan) === "success") wrong.push(`it fails without a fault: ${body.slice(-200)}`);
  return { outcome, wrong };
}

/** What an answer says in whole. */
export function toText({ nonce, size, words }: Plan): string {
  return `${nonce} `.repeat(size * words);
}

function isStream({ status, headers }: Transcript): boolean {
  return status === 200 && headers["content-type"]?.startsWith("text/event-stream") === true;
}

/** Of an answer that its client did not read to the end, what was read must be the beginning of a legal one. */
function judgePart(transcript: Transcript): string[] {
  if (!isStream(transcript)) return [];
  const { body } = transcript;
  return attempt(() => checkGrammar(parseEvents(body.slice(0, body.lastIndexOf("\n\n") + 2)))).wrong;
}

function judgeWhole(transcript: Transcript): Verdict & { said?: string } {
  const { status, headers, body } = transcript;
  if (isStream(transcript)) {
    const { value, wrong } = attempt(() => {
      const events = parseEvents(body);
      return { ending: checkGrammar(events), said: toSaid(events.map(({ delta }) => delta?.text)) };
    });
    if (value?.ending === "message_stop") return { outcome: "message_stop", said: value.said, wrong };
    if (value?.ending === "cut") wrong.push("the stream has no end");
    return { outcome: "error event", wrong };
  }
  const { value: json, wrong } = attempt(() => JSON.parse(body));
  if (status === 200) {
    const said = toSaid((json?.content ?? []).map(({ text }: Wire) => text));
    if (json?.stop_reason !== "end_turn") wrong.push("the message has no end");
    return { outcome: "message", said, wrong };
  }
  if (status < 400) wrong.push(`its status is ${status}`);
  if (json?.type !== "error" || typeof json?.error?.type !== "string") {
    wrong.push("the error has no envelope");
  }
  if (json?.request_id !== headers["request-id"]) wrong.push("the error has no request id");
  return { outcome: "error status", wrong };
}

function toSaid(texts: unknown[]): string {
  return texts.filter((text) => typeof text === "string").join("");
}

function attempt<Value>(run: () => Value): { value?: Value; wrong: string[] } {
  try {
    return { value: run(), wrong: [] };
  } catch (error) {
    return { wrong: [`it is not legal: ${error instanceof Error ? error.message : error}`] };
  }
}
