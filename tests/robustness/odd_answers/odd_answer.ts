import type { Json } from "../../kit/json.ts";

/** An unusual answer of a host, and the answer that a client must receive. */
export interface OddAnswer {
  name: string;
  /** Body of the upstream's response. */
  body: string | Uint8Array;
  /** Default: `text/event-stream`. */
  contentType?: string;
  /** Event after the body. Default: the end of the connection. */
  ending?: "close" | "reset" | "open";
  /** Type of the error that the client receives, and a pattern of the upstream's text in its message. */
  error?: readonly [type: string, pattern?: RegExp];
  /** Stop reason of the answer. */
  stop?: string;
  /** Text of the answer, in all its blocks; by default none. */
  text?: string | RegExp;
  thinking?: string;
  /** Names and inputs of the calls; by default none. */
  calls?: readonly (readonly [name: string, input: Json])[];
  /** Pattern of `x-gateway-loss` for an answer that is not streamed. */
  loss?: RegExp;
}

/** Returns a line of an event stream for each payload; a text stands for itself. */
export function dataLines(...payloads: readonly (object | string)[]): string {
  return payloads.map((one) => typeof one === "string" ? one : `data: ${JSON.stringify(one)}\n\n`).join("");
}

/** A content type of JSON. */
export const JSON_TYPE = "application/json";
