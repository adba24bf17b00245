/** Name of this program, sent to clients and upstreams. */
export const NAME = "openrouter-anthropic-server";
/** Version of this program. A test compares it with package.json and deno.json. */
export const VERSION = "0.1.0";
