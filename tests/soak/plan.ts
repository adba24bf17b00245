import type { Random } from "../kit/random.ts";

/** What an upstream does instead of answering well. */
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
  | "wait" // goes on only when the upstream is told to
  | "stall" // falls silent within the answer
  | "garbage" // goes on with bytes that are nothing
  | "error"; // tells an error within the answer

/** What a client does. */
export type Manner = "reads" | "reads slowly" | "leaves at once" | "leaves in the middle";

/** One question of a soak: the client sends it along, and the upstream acts on it. */
export interface Plan {
  /** In every piece of the answer, and in no other. */
  nonce: string;
  road: "chat" | "native";
  stream: boolean;
  manner: Manner;
  fault: Fault;
  /** How many pieces the answer has, and after how many the fault comes: always before the end. */
  size: number;
  at: number;
  /** How often each piece says the nonce. */
  words: number;
  /** Of a busy upstream, how often it refuses. */
  times: number;
  /** Milliseconds between two pieces. */
  pace: number;
}

/** What must come of a plan, if the client stays to hear it. */
export type Due = "success" | "failure";

/** Says what must come of a plan at a gateway that repeats once: a fault is never a success. */
export function dueOf({ fault, times }: Plan): Due {
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
const MANNERS: readonly [Manner, ...Manner[]] = [
  "reads",
  ...Array.from({ length: 11 }, (): Manner => "reads"),
  ...[
    "reads slowly",
    "reads slowly",
    "leaves at once",
    "leaves in the middle",
    "leaves in the middle",
  ] as const,
];

/** Draws a plan; `nth` makes its nonce one of a kind. */
export function drawPlan(random: Random, nth: number): Plan {
  const size = 1 + random(40);
  return {
    nonce: `~${nth.toString(36)}x${random(2 ** 30).toString(36)}~`,
    road: pick(random, ["chat", "native"]),
    stream: random(4) > 0,
    manner: pick(random, MANNERS),
    fault: pick(random, FAULTS),
    size,
    at: random(size),
    words: 1,
    times: 1 + random(3),
    pace: pick(random, [0, 0, 0, 1, 10]),
  };
}

function pick<const Item>(random: Random, [first, ...more]: readonly [Item, ...Item[]]): Item {
  return [first, ...more][random(1 + more.length)] ?? first;
}

/** Whatever looks like a nonce; no id has these marks. */
export const NONCE = /~[0-9a-z]+~/g;
