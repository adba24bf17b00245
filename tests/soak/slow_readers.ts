import type { IncomingMessage } from "node:http";
import { open, sendRequest } from "./client.ts";
import { judge, type Transcript } from "./judge.ts";
import type { Plan } from "./plan.ts";

type AnswerSize = Pick<Plan, "fault" | "size" | "repeats">;

/** Most readers get a quarter of a megabyte, of which the upstream holds most back until it is released. */
const LONG: AnswerSize = { fault: "wait", size: 60, repeats: 600 };
/** One reader in fifty gets eight megabytes without pauses, more than sockets hold. */
const LARGE: AnswerSize = { fault: "none", size: 2000, repeats: 600 };
const SHORT: AnswerSize = { fault: "none", size: 3, repeats: 1 };

/** Number of other clients while the readers do not read. */
const OTHERS = 20;

/** Result of readers that do not read. */
export interface SlowReaders {
  /** The longest time until another client had its complete answer meanwhile, in milliseconds. */
  slowest: number;
  transcripts: Transcript[];
}

/**
 * Opens this number of streams without reading them, sends requests of other clients, then reads all streams to the
 * end.
 *
 * `meanwhile` is called while all are open, `release` before they are read.
 */
export async function runSlowReaders(
  gateway: string,
  readers: number,
  { meanwhile, release }: { meanwhile: () => Promise<void>; release: () => void },
): Promise<SlowReaders> {
  const plans = Array.from({ length: readers }, (_, nth) => toPlan(nth, nth % 50 === 0 ? LARGE : LONG));
  const answers: IncomingMessage[] = [];
  for (const plan of plans) {
    const answer = await open(gateway, plan).answer;
    answer.on("error", () => {}); // judged by what was read
    answers.push(answer);
  }
  await meanwhile();
  const transcripts: Transcript[] = [];
  let slowest = 0;
  for (let nth = 0; nth < OTHERS; nth++) {
    const startedAt = performance.now();
    transcripts.push(await sendRequest(gateway, toPlan(readers + nth, SHORT)));
    slowest = Math.max(slowest, performance.now() - startedAt);
  }
  release();
  transcripts.push(
    ...await Promise.all(answers.map((answer, nth) => read(answer, plans[nth] ?? toPlan(nth, LONG)))),
  );
  return { slowest, transcripts };
}

async function read(answer: IncomingMessage, plan: Plan): Promise<Transcript> {
  let body = "";
  try {
    for await (const piece of answer.setEncoding("utf8")) body += piece;
  } catch {
    // `complete` is false then
  }
  const headers = { "content-type": answer.headers["content-type"] };
  return { plan, status: answer.statusCode ?? 0, headers, body, end: answer.complete ? "whole" : "cut" };
}

function toPlan(nth: number, answerSize: AnswerSize): Plan {
  return {
    nonce: `~${nth.toString(36)}x0~`,
    api: nth % 2 === 0 ? "chat" : "native",
    stream: true,
    behavior: "reads",
    ...answerSize,
    at: Math.floor(answerSize.size / 4),
    pace: 0,
    times: 0,
  };
}

/** Returns the broken invariants of each answer. */
export function judgeSlowReaders({ transcripts }: SlowReaders): string[][] {
  return transcripts.map((transcript) => judge(transcript).wrong);
}
