import type { Dialect } from "./dialect.ts";
import { createChatDialect } from "./openai/mod.ts";
import { PRESETS } from "./presets.ts";

/** Chat completions with OpenRouter's own fields. Source: https://openrouter.ai/docs/api-reference/parameters */
export const openrouter: Dialect = createChatDialect(PRESETS.openrouter);
