import { type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { Transcript } from "./judge.ts";
import type { Plan } from "./plan.ts";

/** Time in milliseconds after which an answer counts as endless; every limit of the gateway is shorter. */
const TIMEOUT_MS = 60_000;
/** Time between two reads of a slow reader, in milliseconds. */
const SLOW_READ_MS = 20;

const MODELS = { chat: "vendor/model", native: "anthropic/claude-opus-5.5" };

/** Sends the request of a plan over a new connection, and returns the transcript of the answer. */
export async function sendRequest(gateway: string, plan: Plan): Promise<Transcript> {
  const { answer, leave } = open(gateway, plan);
  const transcript: Transcript = { plan, status: 0, headers: {}, body: "", end: "cut" };
  let left = false;
  const go = () => {
    left = true;
    leave();
  };
  const limit = new AbortController();
  const late = setTimeout(TIMEOUT_MS, "never" as const, { signal: limit.signal }).catch(() =>
    "never" as const
  );
  if (plan.behavior === "leaves at once") setTimeout(plan.size).then(go);
  try {
    transcript.end = await Promise.race([late, listen()]);
  } catch {
    transcript.end = left ? "left" : "cut";
  }
  limit.abort();
  leave();
  return transcript;

  async function listen(): Promise<Transcript["end"]> {
    const response = await answer;
    transcript.status = response.statusCode ?? 0;
    const { "content-type": type, "request-id": id } = response.headers;
    transcript.headers = { "content-type": type, "request-id": String(id) };
    let pieces = 0;
    for await (const piece of response.setEncoding("utf8")) {
      transcript.body += piece;
      if (plan.behavior === "leaves in the middle" && ++pieces > plan.at) go();
      if (plan.behavior === "reads slowly") await setTimeout(SLOW_READ_MS);
      if (left) return "left";
    }
    if (left) return "left";
    return response.complete ? "whole" : "cut";
  }
}

/** Sends a request. The answer is rejected if the connection breaks before it begins. */
export function open(gateway: string, plan: Plan): { answer: Promise<IncomingMessage>; leave(): void } {
  const { api, stream } = plan;
  const messages = [{ role: "user", content: JSON.stringify(plan) }];
  const body = JSON.stringify({ model: MODELS[api], max_tokens: 1000, stream, messages });
  const headers = { "content-type": "application/json" };
  const outgoing = request(`${gateway}/v1/messages`, { method: "POST", headers, agent: false });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
  answer.catch(() => {}); // a client that has disconnected does not wait for it
  outgoing.end(body);
  return { answer, leave: () => void outgoing.destroy() };
}
