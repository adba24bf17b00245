import { type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { Transcript } from "./judge.ts";
import type { Plan } from "./plan.ts";

/** After so many milliseconds an answer counts as one that never ends; every limit of the gateway is shorter. */
const PATIENCE = 60_000;
/** The most that a slow reader waits between two looks, in milliseconds. */
const SLOW = 20;

const MODELS = { chat: "vendor/model", native: "anthropic/claude-opus-5.5" };

/** Asks the gateway what a plan says, over a connection of its own, and writes down what comes. */
export async function ask(gateway: string, plan: Plan): Promise<Transcript> {
  const { answer, leave } = open(gateway, plan);
  const transcript: Transcript = { plan, status: 0, headers: {}, body: "", end: "cut" };
  let left = false;
  const go = () => {
    left = true;
    leave();
  };
  const limit = new AbortController();
  const late = setTimeout(PATIENCE, "never" as const, { signal: limit.signal }).catch(() => "never" as const);
  if (plan.manner === "leaves at once") setTimeout(plan.size).then(go);
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
      if (plan.manner === "leaves in the middle" && ++pieces > plan.at) go();
      if (plan.manner === "reads slowly") await setTimeout(SLOW);
      if (left) return "left";
    }
    if (left) return "left";
    return response.complete ? "whole" : "cut";
  }
}

/** Sends a question; the answer fails when its connection breaks before it begins. */
export function open(gateway: string, plan: Plan): { answer: Promise<IncomingMessage>; leave(): void } {
  const { road, stream } = plan;
  const messages = [{ role: "user", content: JSON.stringify(plan) }];
  const body = JSON.stringify({ model: MODELS[road], max_tokens: 1000, stream, messages });
  const headers = { "content-type": "application/json" };
  const asked = request(`${gateway}/v1/messages`, { method: "POST", headers, agent: false });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on("response", resolve);
    asked.on("error", reject);
  });
  answer.catch(() => {}); // a client that has left does not wait for it
  asked.end(body);
  return { answer, leave: () => void asked.destroy() };
}
