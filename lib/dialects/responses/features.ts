/** Features of a host of the Responses API. Each field is a point on which hosts differ. */
export interface ResponsesFeatures {
  /** True if the host encrypts reasoning on request, and accepts it back in that form. */
  encryptsReasoning: boolean;
  /** Efforts of models whose family is unknown. */
  efforts: readonly string[];
  /** True if `reasoning.max_tokens` limits the thinking. */
  thinkingBudget: boolean;
  /** True if a reasoning item must precede each call that it led to, not only the first. */
  reasoningBeforeEachCall: boolean;
  /** Accepted sources of `input_file` parts. */
  files: readonly ("base64" | "url")[];
  /** True if the result of a tool may have images and files. */
  partsInResults: boolean;
  /**
   * True if messages of the role `system` may follow other messages. Many chat templates of local models forbid that.
   */
  systemAnywhere: boolean;
  /** False if the host ignores `tool_choice`. */
  toolChoice: boolean;
  /** True if a strict schema must be of OpenAI's subset of JSON Schema. Other schemas are sent as not strict. */
  strictSubset: boolean;
  /** True if the host rejects schemas of tools that have `anyOf` and other combinations at the top level. */
  plainToolSchemas: boolean;
  /** True if parts can be marked for the cache, for models that support it. */
  cacheBreakpoints: boolean;
  /** Request field that keeps a session on one cache. */
  sessionField: "prompt_cache_key" | "session_id" | undefined;
  /** True if the host accepts `service_tier`. */
  serviceTier: boolean;
  /** True if the host pads its events unless told otherwise. */
  padsEvents: boolean;
  topK: boolean;
}

/** Features of an unknown host: those that the API's specification demands of each. */
export const DEFAULT_FEATURES: ResponsesFeatures = {
  encryptsReasoning: true,
  efforts: ["low", "medium", "high"],
  thinkingBudget: false,
  reasoningBeforeEachCall: false,
  files: [],
  partsInResults: false,
  systemAnywhere: true,
  toolChoice: true,
  strictSubset: true,
  plainToolSchemas: false,
  cacheBreakpoints: false,
  sessionField: undefined,
  serviceTier: false,
  padsEvents: false,
  topK: false,
};
