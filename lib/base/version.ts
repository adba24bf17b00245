/** The name of this program, as it gives it to clients and upstreams. */
export const NAME = "openrouter-anthropic-server";
/** The version of this program; a test holds it equal to those of package.json and deno.json. */
export const VERSION = "0.1.0";
