/** The name and version of this gateway, as it gives them to clients and upstreams. */
export const NAME = "openrouter-anthropic-server";
export const VERSION = "0.1.0";
