import type { ResponseBlock, StreamEvent } from "../../anthropic/events.ts";
import { isCustomTool, type MessagesRequest } from "../../anthropic/schema.ts";
import { type JsonObject, tryJson } from "../../base/json.ts";
import { findExcess } from "../../base/json_bounds.ts";
import type { LossReport } from "../../dialects/loss.ts";
import { toSteps } from "../../json_schema/pointer.ts";
import { Schema } from "../../json_schema/schema.ts";
import { CostError, SchemaError } from "../../json_schema/schema_error.ts";
import { StepBudget } from "../../json_schema/step_budget.ts";

/** How many complaints of one call are reported, and how long its arguments may be. */
const MAX_REPORTED = 5;
const MAX_CHARS = 8 * 1024 * 1024;

/** Checks the arguments of one call after another, and reports those that are not valid. */
export class ToolInputChecker {
  readonly #inputSchemas: ReadonlyMap<string, JsonObject>;
  readonly #schemas = new Map<string, Schema | undefined>();
  readonly #loss: LossReport;
  readonly #budget = new StepBudget();
  #call: { block: ResponseBlock; json: string } | undefined;

  constructor({ tools }: MessagesRequest, loss: LossReport) {
    const custom = (tools ?? []).filter(isCustomTool);
    this.#inputSchemas = new Map(custom.map(({ name, input_schema }) => [name, input_schema]));
    this.#loss = loss;
  }

  read(event: StreamEvent): void {
    switch (event.type) {
      case "content_block_start": {
        const { type, name } = event.content_block;
        const isKnown = type === "tool_use" && this.#inputSchemas.has(String(name));
        this.#call = isKnown ? { block: event.content_block, json: "" } : undefined;
        return;
      }
      case "content_block_delta":
        if (this.#call === undefined) return;
        this.#call.json += String(event.delta.partial_json ?? "");
        if (this.#call.json.length > MAX_CHARS) this.#call = undefined;
        return;
      case "content_block_stop":
        if (this.#call !== undefined) this.#check(this.#call, event.index);
        this.#call = undefined;
    }
  }

  #check({ block, json }: { block: ResponseBlock; json: string }, index: number): void {
    if (findExcess(json) !== undefined) return;
    const input = json === "" ? block.input : tryJson(json);
    if (input === undefined) return; // cut by `max_tokens`
    for (const { path } of this.#complaints(String(block.name), input)) {
      this.#loss.add(["content", index, "input", ...toSteps(path)].join("."), "invalid");
    }
  }

  #complaints(name: string, input: unknown): readonly { path: string }[] {
    try {
      return this.#schemaOf(name)?.check(input, this.#budget).slice(0, MAX_REPORTED) ?? [];
    } catch (error) {
      if (error instanceof CostError) return [];
      throw error;
    }
  }

  #schemaOf(name: string): Schema | undefined {
    if (!this.#schemas.has(name)) this.#schemas.set(name, toSchema(this.#inputSchemas.get(name)));
    return this.#schemas.get(name);
  }
}

function toSchema(value: JsonObject | undefined): Schema | undefined {
  try {
    return new Schema(value);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
