/** Name of the service that Restate's server calls. */
export const SERVICE = "openrouter_anthropic_server";

/** Path of the gateway's endpoint at which the server has jobs done. */
export const RUN_PATH = `/restate/invoke/${SERVICE}/run`;
