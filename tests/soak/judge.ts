import { expectedResult, NONCE, type Plan } from "./plan.ts";
import { parseEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";

/** The answer that a client received. */
export interface Transcript {
  plan: Plan;
  /** 0 without an answer. */
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  /** Its end: complete by HTTP, a broken connection, the client disconnected, or none. */
  end: "whole" | "cut" | "left" | "never";
}

/** The kind of an answer, and the invariants that it breaks. */
export interface Verdict {
  outcome: "message" | "message_stop" | "error event" | "error status" | "left";
  wrong: string[];
}

/** The gateway's key for the upstream, which no client may receive. */
export const KEY = "soak-key-of-the-gateway";

/** Judges one answer by the invariants of the soak. */
export function judge(transcript: Transcript): Verdict {
  const { plan, body, end } = transcript;
  const wrong: string[] = [];
  const others = (body.match(NONCE) ?? []).filter((nonce) => nonce !== plan.nonce);
  if (others.length > 0) wrong.push(`it has text of another answer: ${others[0]}`);
  if (body.includes(KEY)) wrong.push("it has the gateway's key");
  if (end === "left") return { outcome: "left", wrong: [...wrong, ...judgePart(transcript)] };
  if (end === "cut") wrong.push("the connection breaks");
  if (end === "never") wrong.push("it never ends");
  const { outcome, text, wrong: more } = judgeWhole(transcript);
  wrong.push(...more);
  const succeeded = outcome === "message" || outcome === "message_stop";
  if (succeeded && text !== toText(plan)) wrong.push("its text is not the upstream's");
  if (succeeded && expectedResult(plan) === "failure") wrong.push("a fault looks like a success");
  if (!succeeded && expectedResult(plan) === "success") {
    wrong.push(`it fails without a fault: ${body.slice(-200)}`);
  }
  return { outcome, wrong };
}

/** Returns the complete text of an answer. */
export function toText({ nonce, size, repeats }: Plan): string {
  return `${nonce} `.repeat(size * repeats);
}

function isStream({ status, headers }: Transcript): boolean {
  return status === 200 && headers["content-type"]?.startsWith("text/event-stream") === true;
}

/** Checks an answer that its client did not read to the end: the part must be the beginning of a valid one. */
function judgePart(transcript: Transcript): string[] {
  if (!isStream(transcript)) return [];
  const { body } = transcript;
  return attempt(() => checkGrammar(parseEvents(body.slice(0, body.lastIndexOf("\n\n") + 2)))).wrong;
}

function judgeWhole(transcript: Transcript): Verdict & { text?: string } {
  const { status, headers, body } = transcript;
  if (isStream(transcript)) {
    const { value, wrong } = attempt(() => {
      const events = parseEvents(body);
      return { ending: checkGrammar(events), text: joinTexts(events.map(({ delta }) => delta?.text)) };
    });
    if (value?.ending === "message_stop") return { outcome: "message_stop", text: value.text, wrong };
    if (value?.ending === "cut") wrong.push("the stream has no end");
    return { outcome: "error event", wrong };
  }
  const { value: json, wrong } = attempt(() => JSON.parse(body));
  if (status === 200) {
    const text = joinTexts((json?.content ?? []).map(({ text }: Wire) => text));
    if (json?.stop_reason !== "end_turn") wrong.push("the message has no end");
    return { outcome: "message", text, wrong };
  }
  if (status < 400) wrong.push(`its status is ${status}`);
  if (json?.type !== "error" || typeof json?.error?.type !== "string") {
    wrong.push("the error has no envelope");
  }
  if (json?.request_id !== headers["request-id"]) wrong.push("the error has no request id");
  return { outcome: "error status", wrong };
}

function joinTexts(texts: unknown[]): string {
  return texts.filter((text) => typeof text === "string").join("");
}

function attempt<Value>(run: () => Value): { value?: Value; wrong: string[] } {
  try {
    return { value: run(), wrong: [] };
  } catch (error) {
    return { wrong: [`it is not valid: ${error instanceof Error ? error.message : error}`] };
  }
}
