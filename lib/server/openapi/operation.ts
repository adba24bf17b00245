import type * as v from "valibot";
import { choice } from "../../anthropic/choice.ts";

/** Description of an endpoint, beside what the table of routes says. */
export interface Operation {
  /** What it does, in one sentence without a full stop. */
  summary: string;
  /** Parameters of the query, and what each is. */
  query?: Readonly<Record<string, string>>;
  /** Headers of the request that change the answer, and what each is. */
  headers?: Readonly<Record<string, string>>;
  body?: Content;
  /** Answer without an error; undefined if it has no body. */
  answer: Content | undefined;
  /** Status of that answer. Default: 200, or 204 without a body. */
  status?: number;
  /** Body of an error that is not in the form of Anthropic's API. */
  failure?: Content;
  /** A second form of the answer, by its media type. */
  orElse?: { media: string; when: string };
}

/** A body of JSON with a schema, or one of another media type. */
export type Content = { name: string; schema: v.GenericSchema } | { media: string };

/** Gives a schema within others a name in the document, so that they refer to it. */
export function named(name: string, schema: v.GenericSchema): v.GenericSchema {
  return choice(name, [schema], () => schema);
}

/** Declares a body of JSON. The name is that of its schema in the document; endpoints with the same body share it. */
export function json(name: string, schema: v.GenericSchema): Content {
  return { name, schema };
}
