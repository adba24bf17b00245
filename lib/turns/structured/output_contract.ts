import type { ResponseBlock } from "../../anthropic/events.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { ApiError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Complaint } from "../../json_schema/complaint.ts";
import { findJson, type JsonPiece, trimBlanks } from "../../json_schema/output/find_json.ts";
import { memberText, pickText } from "../../json_schema/output/pick_text.ts";
import { withoutAddedNulls } from "../../json_schema/output/restore.ts";
import { Schema } from "../../json_schema/schema.ts";
import { CostError, SchemaError } from "../../json_schema/schema_error.ts";
import { isObjectSchema, unwrapValue, wrapSchema } from "../../json_schema/output/wrap.ts";
import { StepBudget } from "../../json_schema/step_budget.ts";
import type { OutputFormat } from "./output_format.ts";

/** Result of the check of an answer: the text of the valid value, or what is wrong. */
export type CheckedText =
  | { text: string; complaints?: undefined }
  | { text?: undefined; complaints: readonly Complaint[] };

/** The schema that an answer must be valid under. */
export class OutputContract {
  /** Path of the format in the client's request. */
  readonly path: OutputFormat["path"];
  readonly #value: JsonObject;
  readonly #schema: Schema;

  /** @throws {ApiError} `invalid_request_error` if the schema cannot be used. */
  constructor(path: OutputContract["path"], value: JsonObject) {
    this.path = path;
    this.#value = value;
    try {
      this.#schema = new Schema(value);
      this.#schema.assertSatisfiable();
    } catch (cause) {
      if (!(cause instanceof SchemaError)) throw cause;
      throw new ApiError("invalid_request_error", `${path}.schema: ${cause.message}`, {
        cause,
        details: { pointer: cause.pointer },
      });
    }
  }

  /** True if the root of the schema is not an object, as chat completions require. */
  get needsWrapper(): boolean {
    return !isObjectSchema(this.#value);
  }

  /** Returns a request whose schema is an object with the requested value as its only member. */
  wrap(request: MessagesRequest): MessagesRequest {
    const format = { type: "json_schema", schema: wrapSchema(this.#value) };
    return this.path === "output_format"
      ? { ...request, output_format: format }
      : { ...request, output_config: { ...request.output_config, format } };
  }

  /** Checks the text blocks of an answer as they are. More than one is not valid: clients parse each as the value. */
  checkTexts([text = "", ...more]: readonly string[]): CheckedText {
    const [whole] = findJson(text);
    if (more.length > 0 || whole === undefined || whole.text !== trimBlanks(text)) {
      return { complaints: [NOT_JSON] };
    }
    return this.#withinCost(() => {
      const complaints = this.#schema.check(whole.value, new StepBudget());
      return complaints.length === 0 ? { text } : { complaints };
    });
  }

  /**
   * Finds the valid value in the text blocks of an answer.
   *
   * Text around the value, such as a code fence, is removed; so are a wrapper, and `null` in the place of optional
   * properties. All checks share one budget of steps.
   */
  restore(
    blocks: readonly ResponseBlock[],
    { wrapped, budget = new StepBudget() }: { wrapped: boolean; budget?: StepBudget },
  ): CheckedText {
    const texts = blocks.flatMap(({ type, text }) =>
      type === "text" && typeof text === "string" ? [text] : []
    );
    const sources = new Set([texts.join(""), ...texts.toReversed()]);
    const pieces = new Map([...sources].flatMap(findJson).map((piece) => [piece.text, piece]));
    let complaints: readonly Complaint[] | undefined;
    for (const piece of pieces.values()) {
      const checked = this.#restorePiece(piece, wrapped, budget);
      if (checked.complaints === undefined) return checked;
      complaints ??= checked.complaints;
    }
    return { complaints: complaints ?? [NOT_JSON] };
  }

  #restorePiece({ text, value }: JsonPiece, wrapped: boolean, budget: StepBudget): CheckedText {
    const inner = wrapped ? unwrapValue(value) : undefined;
    if (inner === undefined) return this.#restoreValue(value, text, budget);
    const checked = this.#restoreValue(inner, memberText(text, value), budget);
    // A model may leave the wrapper out, and the value itself may look like one.
    const whole = checked.complaints === undefined ? checked : this.#restoreValue(value, text, budget);
    return whole.complaints === undefined ? whole : checked;
  }

  #restoreValue(value: unknown, text: string, budget: StepBudget): CheckedText {
    return this.#withinCost(() => {
      const complaints = this.#schema.check(value, budget);
      if (complaints.length === 0) return { text };
      const restored = withoutAddedNulls(value, this.#schema, budget);
      const left = restored === value ? complaints : this.#schema.check(restored, budget);
      return left.length === 0 ? { text: pickText(text, restored) } : { complaints: left };
    });
  }

  /** A value whose check takes too long counts as not valid: the promise is that what the client gets is checked. */
  #withinCost(check: () => CheckedText): CheckedText {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof CostError)) throw error;
      return { complaints: [{ path: "", message: "must be small enough to be checked" }] };
    }
  }
}

const NOT_JSON: Complaint = { path: "", message: "must be one JSON value" };

/**
 * Returns the contract for the answer.
 *
 * @throws {ApiError} `invalid_request_error` if the schema cannot be used, or the request begins the answer itself.
 */
export function readOutputContract(
  { messages }: MessagesRequest,
  { path, schema }: OutputFormat,
): OutputContract {
  if (schema === undefined) {
    throw new ApiError("invalid_request_error", `${path}.schema: Field required`);
  }
  const last = messages.at(-1);
  if (
    last?.role === "assistant" && (typeof last.content === "string" || last.content.at(-1)?.type === "text")
  ) {
    throw new ApiError(
      "invalid_request_error",
      `${path}: Cannot continue the text of an assistant message: with a format, the answer is one JSON value`,
    );
  }
  return new OutputContract(path, schema);
}
