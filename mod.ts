#!/usr/bin/env node
/**
 * A gateway that serves Anthropic's Messages API to any client and answers with any model behind OpenRouter.
 *
 * As the main program, this module starts the server. As an import, it starts nothing and exports
 * {@linkcode createGateway}, whose result fits into any server that accepts a web-standard request handler.
 *
 * @example Usage
 * ```ts
 * import { createGateway } from "./mod.ts";
 *
 * const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" } });
 * const request = new Request("http://gateway/v1/messages", {
 *   method: "POST",
 *   headers: { "content-type": "application/json" },
 *   body: JSON.stringify({
 *     model: "demo/echo",
 *     max_tokens: 100,
 *     messages: [{ role: "user", content: "hello" }],
 *   }),
 * });
 * const response = await gateway.fetch(request);
 * console.log(response.status); // 200
 * ```
 *
 * @module
 */
import { createGateway, serveTools } from "./lib/gateway.ts";
import { createGatewayContext } from "./lib/server/create_context.ts";
import { isMain, readArgs } from "./lib/runtime/process.ts";

export { createGateway };
export type { Gateway } from "./lib/gateway.ts";
export type { GatewayOptions } from "./lib/server/create_context.ts";
export type { SettingOrigins } from "./lib/config/describe.ts";
export type {
  HookCall,
  Hooks,
  MessageBody,
  RequestDecision,
  RequestEvent,
  ResponseEvent,
} from "./lib/server/hooks.ts";
export type { ResponseBlock, ResponseMessage, Usage } from "./lib/anthropic/events.ts";
export type { Clock } from "./lib/runtime/clock.ts";
export type { Reloaded } from "./lib/config/reload.ts";
export type { SettingName, Settings } from "./lib/config/settings.ts";
export type { LimitSet, LimitsInput } from "./lib/config/limits.ts";
export { PRESETS } from "./lib/config/presets.ts";
export type {
  DialectChoice,
  HostName,
  NamedUpstream,
  Preset,
  UpstreamsInput,
} from "./lib/config/upstreams.ts";
export type { Alias, Target } from "./lib/config/aliases.ts";

// No top-level await: `require` cannot load a module that has one.
if (isMain(import.meta)) {
  import("./lib/cli/main.ts").then(({ main }) =>
    main(readArgs(), { createGateway, createGatewayContext, serveTools })
  );
}
