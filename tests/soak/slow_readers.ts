import type { IncomingMessage } from "node:http";
import { ask, open } from "./client.ts";
import { judge, type Transcript } from "./judge.ts";
import type { Plan } from "./plan.ts";

type Wanted = Pick<Plan, "fault" | "size" | "words">;

/** What a reader asks for: most want a quarter of a megabyte, of which the upstream keeps back the most for the time. */
const LONG: Wanted = { fault: "wait", size: 60, words: 600 };
/** One reader in fifty wants more than sockets hold, eight megabytes, as fast as they come. */
const LARGE: Wanted = { fault: "none", size: 2000, words: 600 };
const SHORT: Wanted = { fault: "none", size: 3, words: 1 };

/** How many ask while the readers do not read. */
const OTHERS = 20;

/** What a crowd of readers that do not read came to. */
export interface Crowd {
  /** The longest that another client waited for its whole answer meanwhile, in milliseconds. */
  slowest: number;
  transcripts: Transcript[];
}

/**
 * Opens so many streams and reads none of them, lets other clients ask, then reads all to their end.
 *
 * `meanwhile` is called while all are open, `release` when they are to be read.
 */
export async function crowd(
  gateway: string,
  readers: number,
  { meanwhile, release }: { meanwhile: () => Promise<void>; release: () => void },
): Promise<Crowd> {
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
    const asked = performance.now();
    transcripts.push(await ask(gateway, toPlan(readers + nth, SHORT)));
    slowest = Math.max(slowest, performance.now() - asked);
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
    // it was cut, which `complete` says
  }
  const headers = { "content-type": answer.headers["content-type"] };
  return { plan, status: answer.statusCode ?? 0, headers, body, end: answer.complete ? "whole" : "cut" };
}

function toPlan(nth: number, wanted: Wanted): Plan {
  return {
    nonce: `~${nth.toString(36)}x0~`,
    road: nth % 2 === 0 ? "chat" : "native",
    stream: true,
    manner: "reads",
    ...wanted,
    at: Math.floor(wanted.size / 4),
    pace: 0,
    times: 0,
  };
}

/** What is wrong with what a crowd was told. */
export function judgeCrowd({ transcripts }: Crowd): string[][] {
  return transcripts.map((transcript) => judge(transcript).wrong);
}
