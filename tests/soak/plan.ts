import type { Random } from "../kit/random.ts";

/** A fault of an upstream. */
export type Fault =
  | "none"
  | "linger" // answers, but keeps its connection
  | "late" // answers, but only after the gateway has begun the stream by itself
  | "busy" // refuses, at first or always
  | "broken" // answers 500
  | "redirect"
  | "html"
  | "refuse" // breaks the connection before its headers
  | "mute" // sends no headers
  | "reset" // breaks the connection within the answer
  | "truncate" // ends within the answer as if that were its end
  | "wait" // continues only after `release()`
  | "stall" // sends nothing more within the answer
  | "garbage" // continues with invalid bytes
  | "error"; // sends an error within the answer

/** Behavior of a client. */
export type Behavior = "reads" | "reads slowly" | "leaves at once" | "leaves in the middle";

/** One request of a soak: the client sends the plan in its message, and the upstream follows it. */
export interface Plan {
  /** A text in every piece of this answer, and in no other answer. */
  nonce: string;
  api: "chat" | "native";
  stream: boolean;
  behavior: Behavior;
  fault: Fault;
  /** Number of pieces of the answer, and of those before the fault, which is always before the end. */
  size: number;
  at: number;
  /** Number of nonces in a piece. */
  repeats: number;
  /** Number of refusals of a busy upstream. */
  times: number;
  /** Milliseconds between two pieces. */
  pace: number;
}

/** The result of a plan that the client must receive, unless it disconnects. */
export type ExpectedResult = "success" | "failure";

/** Returns the result that a client must receive from a gateway with one retry: a fault is never a success. */
export function expectedResult({ fault, times }: Plan): ExpectedResult {
  switch (fault) {
    case "none":
    case "linger":
    case "late":
    case "wait":
      return "success";
    case "busy":
      return times < 2 ? "success" : "failure";
    case "broken":
    case "redirect":
    case "html":
    case "refuse":
    case "mute":
    case "reset":
    case "truncate":
    case "stall":
    case "garbage":
    case "error":
      return "failure";
  }
}

/** Half of all answers are good, and silence is rare because it takes long. */
const FAULTS: readonly [Fault, ...Fault[]] = [
  "none",
  ...Array.from({ length: 19 }, (): Fault => "none"),
  ...["linger", "late"] as const,
  ...["busy", "busy", "busy", "broken", "redirect", "html", "refuse"] as const,
  ...["reset", "reset", "truncate", "truncate", "garbage", "garbage", "error", "error"] as const,
  ...["mute", "stall"] as const,
];
const BEHAVIORS: readonly [Behavior, ...Behavior[]] = [
  "reads",
  ...Array.from({ length: 11 }, (): Behavior => "reads"),
  ...[
    "reads slowly",
    "reads slowly",
    "leaves at once",
    "leaves in the middle",
    "leaves in the middle",
  ] as const,
];

/** Draws a plan; `nth` makes its nonce unique. */
export function drawPlan(random: Random, nth: number): Plan {
  const size = 1 + random(40);
  return {
    nonce: `~${nth.toString(36)}x${random(2 ** 30).toString(36)}~`,
    api: pick(random, ["chat", "native"]),
    stream: random(4) > 0,
    behavior: pick(random, BEHAVIORS),
    fault: pick(random, FAULTS),
    size,
    at: random(size),
    repeats: 1,
    times: 1 + random(3),
    pace: pick(random, [0, 0, 0, 1, 10]),
  };
}

function pick<const Item>(random: Random, [first, ...more]: readonly [Item, ...Item[]]): Item {
  return [first, ...more][random(1 + more.length)] ?? first;
}

/** Matches nonces; no id has these marks. */
export const NONCE = /~[0-9a-z]+~/g;
