import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import type { Dialect, TurnContext } from "../../lib/dialects/mod.ts";
import type { LossReport } from "../../lib/dialects/loss.ts";
import type { Wire } from "../kit/json.ts";

/** A dialect, and the context of its turns. */
export interface Target {
  dialect: Dialect;
  toContext(): TurnContext & { loss: LossReport };
  /** Paths that may change without a difference, beside `NO_LOSS`. */
  ignored?: readonly RegExp[];
}

/** Paths that may change without a difference in the upstream's body, and the reason why that is not a loss. */
const NO_LOSS: readonly (readonly [RegExp, why: string])[] = [
  [/^model$/, "the route has it"],
  [/^stream$/, "upstreams always stream"],
  [/^thinking\.display$/, "the gateway itself hides the thinking"],
  [/^thinking\.type$/, "a budget implies it"],
  [/(^|\.)cache_control\.type$/, "there is one type"],
  [/\.input_schema\.type$/, "there is one type"],
  [/^tools$|\.input_schema\.properties$/, "absent and empty are the same"],
  [/^tools\.\d+\.type$/, "a tool without a type is a custom one"],
  [
    /^tools\.\d+\.(defer_loading|eager_input_streaming)$/,
    "every tool is offered, and input streams",
  ],
  [/^messages\.\d+\.role$/, "another role is another message"],
  [/\.content\.\d+\.source\.media_type$/, "text is text"],
  [/\.caller\.type$/, "the model is the default caller"],
];

/** Translates a request, and returns the upstream's body and the reported losses. */
export function translateRequest(
  request: Wire,
  { dialect, toContext }: Target,
): { body: string; loss: LossReport } {
  const context = toContext();
  const body = dialect.toBody(parseMessagesRequest(request), context);
  return { body: JSON.stringify(body), loss: context.loss };
}

/**
 * Returns the paths of a request that do not reach the upstream and are not reported as lost: if they are removed or
 * changed, the upstream's body stays the same.
 */
export function findUnreportedLosses(request: Wire, target: Target): string[] {
  const { body, loss } = translateRequest(request, target);
  // The Responses API has no stop sequences: the gateway ends the answer.
  const own = target.dialect.name === "responses" ? [/^stop_sequences\./] : [];
  const ignored = [...NO_LOSS.map(([pattern]) => pattern), ...own, ...(target.ignored ?? [])];
  return [...leavesOf(request)].filter((path) => {
    const place = path.join(".");
    if (loss.covers(place) || ignored.some((pattern) => pattern.test(place))) return false;
    const others = toOthers(request, path);
    return others.length > 0 &&
      others.map((other) => translateRequest(other, target)).every((translated) =>
        translated.body === body && !translated.loss.covers(place)
      );
  }).map((path) => path.join("."));
}

function* leavesOf(value: Wire, path: string[] = []): Generator<string[]> {
  if (value === null) return; // null means absent
  const inner = typeof value === "object" ? Object.keys(value) : [];
  if (inner.length === 0) yield path;
  for (const key of inner) yield* leavesOf(value[key], [...path, key]);
}

/** Returns the request without a leaf, and with another value in its place; only those that are valid requests. */
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
  return changed.filter(isValid);
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

function isValid(request: Wire): boolean {
  try {
    parseMessagesRequest(request);
    return true;
  } catch {
    return false;
  }
}
