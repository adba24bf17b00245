import * as v from "valibot";

/** Version of the format of recordings. */
export const RECORDING_FORMAT = 1;

const Body = v.record(v.string(), v.unknown());

/** A request to an upstream, and its bytes. */
const Exchange = v.object({
  /** Path and query of the URL. */
  path: v.string(),
  sent: v.nullable(Body),
  status: v.number(),
  headers: v.record(v.string(), v.string()),
  body: v.string(),
  /** True if the body was longer than what is recorded. */
  cut: v.optional(v.boolean()),
});

/** A recorded message: what the client sent, what the upstream answered, and what the client received. */
export const Recording = v.object({
  format: v.literal(RECORDING_FORMAT),
  recorded_at: v.string(),
  /** Version of the gateway that recorded. */
  version: v.string(),
  request_id: v.string(),
  /** Settings that change the translation. */
  settings: v.record(v.string(), v.unknown()),
  /** Entries of the upstreams' lists for the models that were asked. */
  models: v.array(Body),
  request: v.object({ path: v.string(), headers: v.record(v.string(), v.string()), body: Body }),
  exchanges: v.array(Exchange),
  /** Tools that the gateway ran. A replay cannot run them. */
  tools: v.array(v.string()),
  answer: v.object({
    status: v.number(),
    /** Events of the answer; those of a failed one end before the failure. */
    events: v.array(v.looseObject({ type: v.string() })),
    error: v.optional(v.object({ type: v.string(), message: v.string() })),
  }),
});
/** @internal */
export type Recording = v.InferOutput<typeof Recording>;
/** @internal */
export type Exchange = v.InferOutput<typeof Exchange>;
