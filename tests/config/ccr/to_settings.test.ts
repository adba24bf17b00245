import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCcr } from "../../../lib/config/ccr/parse_ccr.ts";
import { toSettings } from "../../../lib/config/ccr/to_settings.ts";
import { parseConfig } from "../../../lib/config/parse.ts";
import { parseConfigFile } from "../../../lib/config/sources/config_file.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import { writeConfigFile } from "../../../lib/cli/init.ts";

/** A configuration of claude-code-router, the equivalent settings, and notes on the parts without one. */
const CONFIGS: [name: string, json: string, settings: Settings, notes: string[]][] = [
  [
    "the example of its repository, shortened",
    `{
      "Providers": [
        {
          "name": "openrouter",
          "api_base_url": "https://openrouter.ai/api/v1/chat/completions",
          "api_key": "sk-or-x",
          "models": ["google/gemini-2.5-pro-preview"],
          "transformer": {
            "use": [["openrouter", { "referer": "https://example.com", "title": "t", "providerOrder": [] }]]
          },
        },
        {
          "name": "deepseek",
          "api_base_url": "https://api.deepseek.com/chat/completions",
          "api_key": "sk-d",
          "models": ["deepseek-chat", "deepseek-reasoner"],
          "transformer": { "use": ["deepseek"], "deepseek-chat": { "use": ["tooluse"] } }
        },
        { // local
          "name": "ollama",
          "api_base_url": "http://localhost:11434/v1/chat/completions",
          "api_key": "ollama",
          "models": ["qwen2.5-coder:latest"]
        },
        {
          "name": "gemini",
          "api_base_url": "https://generativelanguage.googleapis.com/v1beta/models/",
          "api_key": "sk-g",
          "models": ["gemini-2.5-flash"],
          "transformer": { "use": ["gemini"] }
        },
        {
          "name": "modelscope",
          "api_base_url": "https://api-inference.modelscope.cn/v1/chat/completions",
          "api_key": "",
          "models": ["Qwen/Qwen3-235B-A22B-Thinking-2507"],
          "transformer": {
            "use": [["maxtoken", { "max_tokens": 65536 }], "enhancetool"],
            "Qwen/Qwen3-235B-A22B-Thinking-2507": { "use": ["reasoning"] }
          }
        }
      ],
      "Router": {
        "default": "deepseek,deepseek-chat",
        "background": "ollama,qwen2.5-coder:latest",
        "think": "deepseek,deepseek-reasoner",
        "longContext": "openrouter,google/gemini-2.5-pro-preview",
        "longContextThreshold": 60000,
        "webSearch": "gemini,gemini-2.5-flash"
      },
      "APIKEY": "your-secret-key",
      "HOST": "0.0.0.0",
      "API_TIMEOUT_MS": 600000,
      "NON_INTERACTIVE_MODE": false,
      "LOG": true,
      "LOG_LEVEL": "info"
    }`,
    {
      PORT: 3456,
      HOST: "0.0.0.0",
      GATEWAY_API_KEYS: ["ccr:your-secret-key"],
      REQUEST_TIMEOUT: 600,
      LOG_LEVEL: "info",
      OPENROUTER_API_KEY: "sk-or-x",
      UPSTREAMS: {
        deepseek: { url: "https://api.deepseek.com", key: "sk-d" },
        ollama: { url: "http://localhost:11434/v1", key: "ollama" },
        gemini: { url: "https://generativelanguage.googleapis.com/v1beta/openai", key: "sk-g" },
        modelscope: { url: "https://api-inference.modelscope.cn/v1" },
      },
      ANTHROPIC_MODEL: "deepseek/deepseek-chat",
      ANTHROPIC_SMALL_FAST_MODEL: "ollama/qwen2.5-coder:latest",
      MODEL_MAP: {
        think: { model: "deepseek-reasoner", upstream: "deepseek" },
        longContext: { model: "google/gemini-2.5-pro-preview", upstream: "openrouter" },
        webSearch: { model: "gemini-2.5-flash", upstream: "gemini" },
      },
    },
    [
      "NON_INTERACTIVE_MODE: it is not needed",
      'transformer "openrouter" of provider "openrouter": its options (referer, title)',
      'transformer "maxtoken" of provider "modelscope": the gateway limits max_tokens only by what the upstream\'s model list says (max_tokens 65536)',
      'Router.think is the alias "think": a client asks for it by this name, such as /model think',
      'Router.longContext is the alias "longContext": a client asks for it by this name, such as /model longContext',
      'Router.webSearch is the alias "webSearch": a client asks for it by this name, such as /model webSearch',
      "Router.longContextThreshold: the gateway does not choose a model by the length of a request",
    ],
  ],
  [
    "variables, routing of OpenRouter, fallbacks and parameters",
    `{
      "OPENAI_API_KEY": "$OPENAI_API_KEY",
      "Providers": [
        {
          "name": "or",
          "api_base_url": "https://openrouter.ai/api/v1/chat/completions",
          "api_key": "\${OR_KEY}",
          "transformer": {
            "use": ["openrouter", "cleancache"],
            "moonshotai/kimi-k2": {
              "use": [["openrouter", { "provider": { "only": ["moonshotai/fp8"] } }]]
            }
          }
        },
        {
          "name": "openai",
          "api_base_url": "https://api.openai.com/v1/responses",
          "api_key": "$OPENAI_API_KEY",
          "transformer": { "use": ["openai-responses"], "gpt-5": { "use": [["customparams", { "top_k": 3 }]] } }
        }
      ],
      "Router": { "default": "or,moonshotai/kimi-k2", "background": "openai,gpt-5", "fallback": "openai,gpt-5" },
      "fallback": { "background": ["or,z-ai/glm-5", "or,x-ai/grok"] }
    }`,
    {
      PORT: 3456,
      HOST: "127.0.0.1",
      OPENROUTER_API_KEY: "${OR_KEY}",
      UPSTREAMS: {
        openai: { url: "https://api.openai.com/v1", key: "${OPENAI_API_KEY}", dialect: "responses" },
      },
      ANTHROPIC_MODEL: "moonshotai/kimi-k2",
      ANTHROPIC_SMALL_FAST_MODEL: "openai/gpt-5",
      MODEL_MAP: {
        big: {
          model: "moonshotai/kimi-k2",
          upstream: "openrouter",
          options: { provider: { only: ["moonshotai/fp8"] } },
          cache_control: false,
          fallbacks: [{ model: "gpt-5", upstream: "openai", options: { top_k: 3 } }],
        },
        small: {
          model: "gpt-5",
          upstream: "openai",
          options: { top_k: 3 },
          fallbacks: [
            { model: "z-ai/glm-5", upstream: "openrouter", cache_control: false },
            { model: "x-ai/grok", upstream: "openrouter", cache_control: false },
          ],
        },
      },
    },
    ["OPENAI_API_KEY: the gateway has no such setting"],
  ],
  [
    "custom transformers, a proxy and a router of its own",
    `{
      "LOG": false,
      "PORT": "4111",
      "HOST": "0.0.0.0",
      "APIKEY": "",
      "PROXY_URL": "http://user:secret@127.0.0.1:7890",
      "CUSTOM_ROUTER_PATH": "$HOME/.claude-code-router/custom-router.js",
      "transformers": [{ "path": "$HOME/plugins/zai.js", "options": { "token": "secret" } }],
      "StatusLine": { "enabled": false },
      "Providers": [
        { "name": "GLM 4", "api_base_url": "http://127.0.0.1:8080/v1/chat/completions", "api_key": "k",
          "transformer": { "use": ["zai"] } },
        { "name": "vertex", "api_base_url": "https://aiplatform.googleapis.com/v1", "api_key": "",
          "transformer": { "use": ["vertex-gemini"] } },
        { "name": "glm-anthropic", "api_base_url": "https://api.z.ai/api/anthropic/v1/messages", "api_key": "z",
          "transformer": { "use": ["Anthropic"] } }
      ],
      "Router": { "default": "glm-anthropic,glm-4.7", "think": "vertex,gemini-2.5-pro", "webSearch": "" }
    }`,
    {
      PORT: 4111,
      HOST: "127.0.0.1",
      LOG_LEVEL: "off",
      UPSTREAMS: {
        "GLM-4": { url: "http://127.0.0.1:8080/v1", key: "k" },
        "glm-anthropic": {
          url: "https://api.z.ai/api/anthropic/v1",
          key: "z",
          dialect: "anthropic",
          preset: "zai",
        },
      },
      ANTHROPIC_MODEL: "glm-anthropic/glm-4.7",
    },
    [
      "HOST: without APIKEY, only this machine can connect",
      "PROXY_URL: the gateway connects to upstreams without a proxy",
      "CUSTOM_ROUTER_PATH: a hook can choose the model, see docs/examples/hooks_routing.ts",
      "transformers: the gateway loads no plugins; a hook can change requests and answers",
      "StatusLine: see docs/examples/statusline.sh",
      'transformer "zai" of provider "GLM 4": the gateway has none of this name; a hook can change requests',
      'provider "GLM 4" is the upstream "GLM-4"',
      'transformer "vertex-gemini" of provider "vertex": the gateway has no sign-in for Google Vertex',
      'Router.think: "vertex,gemini-2.5-pro" is no model of a provider that is carried over',
    ],
  ],
  [
    "Azure, a gateway before OpenRouter, and names that are taken",
    `{
      "providers": [
        { "name": "openrouter", "api_base_url": "https://gateway.example/v1/acc/gw/openrouter/v1/chat/completions",
          "api_key": "a" },
        { "name": "openrouter2", "api_base_url": "https://openrouter.ai/api/v1/chat/completions", "api_key": "b" },
        { "name": "demo", "api_base_url": "https://x.openai.azure.com/openai/deployments/g/chat/completions?api-version=2024-10-21",
          "api_key": "c" },
        { "name": "google", "api_base_url": "https://proxy.example/custom", "api_key": "d" }
      ],
      "router": { "default": "openrouter,google/gemini-2.5-pro", "background": "demo,g" }
    }`,
    {
      PORT: 3456,
      HOST: "127.0.0.1",
      OPENROUTER_API_KEY: "a",
      OPENROUTER_BASE_URL: "https://gateway.example/v1/acc/gw/openrouter/v1",
      UPSTREAMS: {
        openrouter2: { url: "https://openrouter.ai/api/v1", key: "b", preset: "openrouter" },
        "demo-2": {
          url: "https://x.openai.azure.com/openai/deployments/g",
          key: "c",
          preset: "azure",
          api_version: "2024-10-21",
        },
        google: { url: "https://proxy.example/custom", key: "d" },
      },
      ANTHROPIC_MODEL: "openrouter/google/gemini-2.5-pro",
      ANTHROPIC_SMALL_FAST_MODEL: "demo-2/g",
    },
    [
      'provider "demo" is the upstream "demo-2"',
      'the URL of provider "google" names no known endpoint: check the url of its upstream, which usually ends in /v1',
    ],
  ],
  [
    "two providers of one name, and names that objects inherit",
    `{
      "Providers": [
        { "name": "x", "api_base_url": "https://a.example/v1/chat/completions", "api_key": "a" },
        { "name": "x", "api_base_url": "https://b.example/v1/chat/completions", "api_key": "b" },
        { "name": "__proto__", "api_base_url": "https://c.example/v1/chat/completions",
          "transformer": { "use": ["constructor"] } }
      ],
      "Router": { "default": "x, m", "constructor": "__proto__,toString", "background": null },
      "toString": 1
    }`,
    {
      PORT: 3456,
      HOST: "127.0.0.1",
      UPSTREAMS: Object.fromEntries([
        ["x", { url: "https://a.example/v1", key: "a" }],
        ["x-2", { url: "https://b.example/v1", key: "b" }],
        ["__proto__", { url: "https://c.example/v1" }],
      ]),
      ANTHROPIC_MODEL: "x/m",
      MODEL_MAP: { constructor: { model: "toString", upstream: "__proto__" } },
    },
    [
      "toString: the gateway has no such setting",
      'provider "x" is the upstream "x-2"',
      'transformer "constructor" of provider "__proto__": the gateway has none of this name; a hook can change requests',
      'Router.constructor is the alias "constructor": a client asks for it by this name, such as /model constructor',
      "Router.background: the gateway has no such setting",
    ],
  ],
  ["an empty object", "{}", { PORT: 3456, HOST: "127.0.0.1" }, []],
];

for (const [name, json, settings, notes] of CONFIGS) {
  test(`toSettings() converts ${name}`, () => {
    const { config, mistake } = parseCcr(json, "config.json");
    assert.equal(mistake, undefined);
    const converted = toSettings(config ?? assert.fail());
    assert.deepEqual(converted.settings, settings);
    assert.deepEqual(converted.notes, notes);
    assert.doesNotMatch(notes.join(), /secret/, "notes hold no values");
    const text = writeConfigFile(converted.settings, "./gateway.schema.json");
    const file = parseConfigFile(text, "gateway.json", (variable) => `value-of-${variable}`);
    assert.equal(
      parseConfig({ file }).anthropicModel,
      settings.ANTHROPIC_MODEL ?? "anthropic/claude-opus-5.5",
    );
  });
}

const MISTAKES: [json: string, mistake: string][] = [
  ["{ Providers: [] }", "Cannot read config.json:1:3: this is no value: texts are in double quotes"],
  ["{\n  'PORT': 1 }", "Cannot read config.json:2:3: this is no value: texts are in double quotes"],
  ["[]", "Cannot use config.json: it is no configuration of claude-code-router"],
  [
    '{ "Providers": [{ "name": "a" }] }',
    "Cannot use config.json: it is no configuration of claude-code-router, see Providers.0.api_base_url",
  ],
  [
    '{ "Router": "deepseek,deepseek-chat" }',
    "Cannot use config.json: it is no configuration of claude-code-router, see Router",
  ],
];

for (const [json, expected] of MISTAKES) {
  test(`parseCcr() rejects ${JSON.stringify(json)}`, () => {
    assert.equal(parseCcr(json, "config.json").mistake, expected);
  });
}

test("parseCcr() writes variables in the form of the configuration file", () => {
  const { config } = parseCcr('{ "APIKEY": "$A-${B_1} $c ${not a name} $$" }', "config.json");
  assert.equal(config?.APIKEY, "${A}-${B_1} $c $${not a name} $$");
});
