import * as v from "valibot";

const POLICIES = ["never", "on-failure", "always"] as const;

function textRecord(allowed: string) {
  return v.record(v.string(), v.string("expected a text"), allowed);
}

function wholeNumber(min: number, max: number, allowed: string) {
  return v.pipe(v.number(allowed), v.integer(allowed), v.minValue(min, allowed), v.maxValue(max, allowed));
}

function seconds(min: number, max: number) {
  const allowed = `expected seconds from ${min} to ${max}`;
  return v.pipe(v.number(allowed), v.minValue(min, allowed), v.maxValue(max, allowed));
}

/** Fields that servers of every kind have. */
const COMMON = {
  disabled: v.optional(v.boolean("expected true or false"), false),
  restart_policy: v.optional(v.picklist(POLICIES, `expected ${POLICIES.join(", ")}`), "on-failure"),
  max_restarts: v.optional(wholeNumber(0, 100, "expected a whole number from 0 to 100"), 3),
  health_check: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean("expected true or false"), true),
      interval: v.optional(seconds(1, 3600), 30),
      timeout: v.optional(seconds(0.1, 60), 5),
    }, (issue) => issue.expected === "never" ? "unknown field" : "expected an object"),
    {},
  ),
};

/** A server that is started as a process. Unknown fields are kept: the ecosystem's files have some. */
export const StdioEntry = v.looseObject({
  type: v.optional(v.literal("stdio")),
  command: v.pipe(v.string("expected a command"), v.nonEmpty("expected a command")),
  args: v.optional(v.array(v.string("expected a text"), "expected a list of texts"), []),
  env: v.optional(textRecord("expected an object of texts"), {}),
  cwd: v.optional(v.pipe(v.string("expected a folder"), v.nonEmpty("expected a folder"))),
  ...COMMON,
});
/** Type of {@linkcode StdioEntry}. */
export type StdioEntry = v.InferOutput<typeof StdioEntry>;

/** A server over streamable HTTP. */
export const HttpEntry = v.looseObject({
  type: v.picklist(["http", "streamable-http"]),
  url: v.string("expected a URL"),
  headers: v.optional(textRecord("expected an object of texts"), {}),
  ...COMMON,
});
/** Type of {@linkcode HttpEntry}. */
export type HttpEntry = v.InferOutput<typeof HttpEntry>;

/** Fields that servers of every kind have. */
export type CommonFields = Pick<StdioEntry, "restart_policy" | "max_restarts" | "health_check">;
