import type { JsonObject } from "../../base/json.ts";
import type { TurnContext } from "../dialect.ts";
import type { ToolNames } from "../offered_tools/tool_names.ts";
import type { ResponsesFeatures } from "./features.ts";
import type { ModelFamily } from "./model_families.ts";

/** Turn context with the features of the host and the family of the model. */
export interface HostContext extends TurnContext {
  features: ResponsesFeatures;
  /** Family of the model; `undefined` if it is none of OpenAI's. */
  family: ModelFamily | undefined;
  /** Tool names that the host accepts. */
  names: ToolNames;
}

/** Context for building a request. */
export interface ResponsesContext extends HostContext {
  /** Marks parts for the cache. */
  cache: CacheMarker;
}

/** Marks parts for the cache, and remembers whether it marked any. */
export interface CacheMarker {
  readonly supported: boolean;
  used: boolean;
}

/** Mark of a part up to which the host caches the request. */
export interface CacheMark {
  prompt_cache_breakpoint?: { mode: "explicit" };
}

/** A part of a user's message or of a tool's result. */
export type InputPart =
  & (
    | { type: "input_text"; text: string }
    | { type: "input_image"; image_url: string; detail: "auto" }
    | { type: "input_file"; filename?: string; file_data?: string; file_url?: string }
  )
  & CacheMark;

/** A part of an earlier answer. Some hosts require the list of annotations. */
export interface OutputPart {
  type: "output_text";
  text: string;
  annotations: [];
}

/** An item of a request's `input`. Items carry no IDs: hosts look them up, but nothing is stored. */
export type InputItem =
  | { type: "message"; role: "user" | "system" | "developer"; content: string | InputPart[] }
  | { type: "message"; role: "assistant"; content: OutputPart[]; phase?: "commentary" | "final_answer" }
  | { type: "function_call"; call_id: string; name: string; arguments: string }
  | { type: "function_call_output"; call_id: string; output: string | InputPart[] }
  | ({ type: "reasoning" | "compaction" } & JsonObject);

/** An item, and the path of the thinking block that it was sealed in. */
export interface LocatedItem {
  item: InputItem;
  path?: string | undefined;
}

/** Pattern of accepted call IDs. Source: https://github.com/earendil-works/pi/issues/1022 */
export const CALL_ID = /^.{1,64}$/s;

/** Field of sealed details that marks them as output items of the Responses API. */
export const SEALED_FIELD = "responses";
