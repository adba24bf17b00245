import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import type { Dialect, TurnContext } from "../../lib/dialects/mod.ts";
import type { LossReport } from "../../lib/dialects/loss.ts";
import type { Wire } from "./grammar.ts";

/** Where and how a request is said. */
export interface Saying {
  dialect: Dialect;
  toContext(): TurnContext & { loss: LossReport };
  /** What may change unseen beside what always may. */
  unseen?: readonly RegExp[];
}

/** What may change unseen, and why that is no loss. */
const NO_LOSS: readonly (readonly [RegExp, why: string])[] = [
  [/^model$/, "the route has it"],
  [/^stream$/, "an upstream is always asked for a stream"],
  [/^thinking\.display$/, "the gateway itself hides what is thought"],
  [/^thinking\.type$/, "a budget says it"],
  [/(^|\.)cache_control\.type$/, "there is one type"],
  [/\.input_schema\.type$/, "there is one type"],
  [/^tools$|\.input_schema\.properties$/, "none are none"],
  [/^tools\.\d+\.type$/, "a tool without a type is a custom one"],
  [
    /^tools\.\d+\.(defer_loading|eager_input_streaming)$/,
    "every tool is offered, and input comes as it is made",
  ],
  [/^messages\.\d+\.role$/, "another role is another message"],
  [/\.content\.\d+\.source\.media_type$/, "text is text"],
  [/\.caller\.type$/, "the model itself calls, if nobody else is named"],
];

/** Says a request, and gives the body and what is reported lost. */
export function sayRequest(
  request: Wire,
  { dialect, toContext }: Saying,
): { body: string; loss: LossReport } {
  const context = toContext();
  const body = dialect.toBody(parseMessagesRequest(request), context);
  return { body: JSON.stringify(body), loss: context.loss };
}

/**
 * Finds the parts of a request that an upstream is not told, and nobody hears of it: whose place may be empty or hold
 * something else, while the body that is sent stays the same and their loss is not reported.
 */
export function findSilent(request: Wire, saying: Saying): string[] {
  const { body, loss } = sayRequest(request, saying);
  const unseen = [...NO_LOSS.map(([pattern]) => pattern), ...(saying.unseen ?? [])];
  return [...leavesOf(request)].filter((path) => {
    const place = path.join(".");
    if (loss.covers(place) || unseen.some((pattern) => pattern.test(place))) return false;
    // What may be nothing else says nothing.
    const others = toOthers(request, path);
    return others.length > 0 &&
      others.map((other) => sayRequest(other, saying)).every((said) =>
        said.body === body && !said.loss.covers(place)
      );
  }).map((path) => path.join("."));
}

function* leavesOf(value: Wire, path: string[] = []): Generator<string[]> {
  if (value === null) return; // nothing is no part
  const inner = typeof value === "object" ? Object.keys(value) : [];
  if (inner.length === 0) yield path;
  for (const key of inner) yield* leavesOf(value[key], [...path, key]);
}

/** The request without a leaf, and with another one in its place, as far as they are requests. */
function toOthers(request: Wire, path: readonly string[]): Wire[] {
  const key = path.at(-1) ?? "";
  const changed = [(holder: Wire) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  }, (holder: Wire) => {
    holder[key] = toOther(holder[key]);
  }].map((change) => {
    const other = structuredClone(request);
    change(path.slice(0, -1).reduce((inner, step) => inner[step], other));
    return other;
  });
  return changed.filter(isLegal);
}

function toOther(value: Wire): Wire {
  switch (typeof value) {
    case "number":
      return value + 1;
    case "boolean":
      return !value;
    case "string":
      return `${value} else`;
    default:
      return Array.isArray(value) ? ["else"] : { ...value, more: "else" };
  }
}

function isLegal(request: Wire): boolean {
  try {
    parseMessagesRequest(request);
    return true;
  } catch {
    return false;
  }
}
