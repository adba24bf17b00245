import assert from "node:assert/strict";
import { test } from "node:test";
import { requireKeysOffLoopback } from "../../lib/config/bind_check.ts";
import { ConfigError, parseConfig, type Sources } from "../../lib/config/parse.ts";
import { SETTING_NAMES, SETTINGS, type Settings } from "../../lib/config/settings.ts";
import { toTargetGroups } from "../../lib/config/aliases.ts";
import { describeConfig } from "../../lib/cli/help.ts";
import { readFlags } from "../../lib/cli/flags.ts";

const DEFAULTS = {
  port: 4000,
  host: "127.0.0.1",
  modelAccess: new Map(),
  openAccess: "off",
  signIn: "off",
  openrouterBaseUrl: "https://openrouter.ai/api/v1",
  upstreams: new Map(),
  anthropicModel: "anthropic/claude-opus-5.5",
  anthropicSmallFastModel: "anthropic/claude-haiku-5.5",
  modelMap: new Map(),
  upstreamDialect: "auto",
  validation: "lenient",
  requestTimeout: 3600,
  connectTimeout: 10,
  firstByteTimeout: 300,
  idleTimeout: 120,
  upstreamRetries: 0,
  cooldown: 5,
  cooldownMax: 300,
  headerTimeout: 10,
  bodyTimeout: 60,
  shutdownTimeout: 30,
  holdTimeout: 10,
  pingInterval: 10,
  coerceToolInput: "on",
  toolCallsInText: "auto",
  structuredMaxRetries: 3,
  structuredStream: "hold",
  limits: { each: { concurrent: 1000 }, total: {}, session: {}, keys: new Map() },
  bodyMemory: 256,
  rateLimitStore: "memory",
  dataQuota: 10_240,
  batchConcurrency: 10,
  toolTimeout: 30,
  toolConcurrency: 5,
  toolRate: 100,
  toolTurns: 10,
  shellSandbox: "required",
  shellNetwork: "off",
  webSearch: "openrouter",
  webSearchMaxUses: 20,
  mcpConnectors: "on",
  mcpConnectTimeout: 10,
  mcpResultChars: 200_000,
  logLevel: "info",
  logFormat: "json",
  logRetention: 7,
  logBodies: "off",
  environment: "production",
};

const GOOD: [Settings, Record<string, unknown>][] = [
  [{}, {}],
  [{ PORT: undefined, OPENROUTER_API_KEY: undefined }, {}],
  [{ PORT: "0" }, { port: 0 }],
  [{ PORT: " 65535 " }, { port: 65535 }],
  [{ PORT: 8080 }, { port: 8080 }],
  [{ HOST: "::1" }, { host: "::1" }],
  [
    { GATEWAY_API_KEYS: ` 0123456789abcdef, bob:fedcba9876543210:x ,carol:sha256:${"A".repeat(64)}` },
    {
      gatewayApiKeys: [
        { name: "key-1", key: "0123456789abcdef" },
        { name: "bob", key: "fedcba9876543210:x" },
        { name: "carol", sha256: "a".repeat(64) },
      ],
    },
  ],
  [{ GATEWAY_API_KEYS: [`sha256:${"0".repeat(64)}`] }, {
    gatewayApiKeys: [{ name: "key-1", sha256: "0".repeat(64) }],
  }],
  [{ GATEWAY_ADMIN_KEY: "0123456789abcdef" }, {
    gatewayAdminKey: { name: "admin", key: "0123456789abcdef" },
  }],
  [{ GATEWAY_ADMIN_KEY: `sha256:${"0".repeat(64)}` }, {
    gatewayAdminKey: { name: "admin", sha256: "0".repeat(64) },
  }],
  [{ OPEN_ACCESS: "on" }, { openAccess: "on" }],
  [{ OPEN_ACCESS: true, SHELL_NETWORK: false }, { openAccess: "on", shellNetwork: "off" }],
  [{ MODEL_ACCESS: '{"local": ["openai/*", "fast"], "*": []}' }, {
    modelAccess: new Map([["local", ["openai/*", "fast"]], ["*", []]]),
  }],
  [{ ALLOWED_HOSTS: "Gateway.Test, ::1,[0::1],192.168.1.9" }, {
    allowedHosts: ["gateway.test", "[::1]", "[::1]", "192.168.1.9"],
  }],
  [{ CORS_ORIGINS: "*" }, { corsOrigins: ["*"] }],
  [{ CORS_ORIGINS: ["HTTPS://Chat.Test:443", "app://obsidian.md", "http://[::1]:3000"] }, {
    corsOrigins: ["https://chat.test", "app://obsidian.md", "http://[::1]:3000"],
  }],
  [{ OPENROUTER_API_KEY: " sk-or-v1-abc\n" }, { openrouterApiKey: "sk-or-v1-abc" }],
  [{ OPENROUTER_BASE_URL: "http://LOCALHOST:1234/v1//" }, { openrouterBaseUrl: "http://localhost:1234/v1" }],
  [{ OPENROUTER_BASE_URL: "http://localhost:1234" }, { openrouterBaseUrl: "http://localhost:1234" }],
  [{ UPSTREAMS: '{"a.b":{"url":"http://h/v1/"}}' }, {
    upstreams: new Map([["a.b", { url: "http://h/v1" }]]),
  }],
  [
    { UPSTREAMS: [{ name: "gpu", url: "http://h", key: "k", dialect: "anthropic", preset: "vllm" }] },
    { upstreams: new Map([["gpu", { url: "http://h", key: "k", dialect: "anthropic", preset: "vllm" }]]) },
  ],
  [
    { UPSTREAMS: { az: { url: "http://h", api_version: "2024-10-21", headers: { "x-team": "bees" } } } },
    {
      upstreams: new Map([["az", {
        url: "http://h",
        api_version: "2024-10-21",
        headers: { "x-team": "bees" },
      }]]),
    },
  ],
  [{ ANTHROPIC_MODEL: "openai/gpt-5" }, { anthropicModel: "openai/gpt-5" }],
  [{ ANTHROPIC_SMALL_FAST_MODEL: "a model" }, { anthropicSmallFastModel: "a model" }],
  [{ AUTO_MODE_MODEL: "a model" }, { autoModeModel: "a model" }],
  [{ MODEL_MAP: "{}" }, {}],
  [{ MODEL_MAP: '{"fast":"openai/gpt-5"}' }, { modelMap: new Map([["fast", { model: "openai/gpt-5" }]]) }],
  [
    {
      MODEL_MAP: { deep: { model: "m", upstream: "openrouter", options: { reasoning: { effort: "high" } } } },
    },
    {
      modelMap: new Map([["deep", {
        model: "m",
        upstream: "openrouter",
        options: { reasoning: { effort: "high" } },
      }]]),
    },
  ],
  [
    { MODEL_MAP: '{"fast":{"model":"m","fallbacks":["a/b",{"model":"c","upstream":"demo"}]}}' },
    {
      modelMap: new Map([["fast", {
        model: "m",
        fallbacks: ["a/b", { model: "c", upstream: "demo" }],
      }]]),
    },
  ],
  [
    { MODEL_MAP: { plain: { model: "m", cache_control: false } } },
    { modelMap: new Map([["plain", { model: "m", cache_control: false }]]) },
  ],
  [{ UPSTREAM_DIALECT: "openai" }, { upstreamDialect: "openai" }],
  [{ REQUEST_TIMEOUT: "0" }, { requestTimeout: 0 }],
  [{ CONNECT_TIMEOUT: "0.5" }, { connectTimeout: 0.5 }],
  [{ FIRST_BYTE_TIMEOUT: 600 }, { firstByteTimeout: 600 }],
  [{ IDLE_TIMEOUT: "0" }, { idleTimeout: 0 }],
  [
    { MODEL_MAP: '{"fast":{"targets":["a/b",{"model":"c","weight":3}],"fallbacks":["d"]}}' },
    {
      modelMap: new Map([["fast", { targets: ["a/b", { model: "c", weight: 3 }], fallbacks: ["d"] }]]),
    },
  ],
  [{ COOLDOWN: "0", COOLDOWN_MAX: 60 }, { cooldown: 0, cooldownMax: 60 }],
  [{ UPSTREAM_RETRIES: "2" }, { upstreamRetries: 2 }],
  [{ HEADER_TIMEOUT: "5" }, { headerTimeout: 5 }],
  [{ BODY_TIMEOUT: "5" }, { bodyTimeout: 5 }],
  [{ SHUTDOWN_TIMEOUT: "0" }, { shutdownTimeout: 0 }],
  [{ HOLD_TIMEOUT: "2.5" }, { holdTimeout: 2.5 }],
  [{ PING_INTERVAL: 0.1 }, { pingInterval: 0.1 }],
  [{ COERCE_TOOL_INPUT: "off" }, { coerceToolInput: "off" }],
  [{ TOOL_CALLS_IN_TEXT: "on" }, { toolCallsInText: "on" }],
  [{ STRUCTURED_MAX_RETRIES: "0", STRUCTURED_STREAM: "live" }, {
    structuredMaxRetries: 0,
    structuredStream: "live",
  }],
  [{ LIMITS: "{}" }, {}],
  [
    {
      LIMITS:
        '{"each":{"requests":60,"usd_day":2.5},"total":{"concurrent":9},"session":{"usd_month":0},"keys":{"local":{"concurrent":null}}}',
    },
    {
      limits: {
        each: { concurrent: 1000, requests: 60, usd_day: 2.5 },
        total: { concurrent: 9 },
        session: { usd_month: 0 },
        keys: new Map([["local", { concurrent: null }]]),
      },
    },
  ],
  [
    { LIMITS: { each: { concurrent: 1, input_tokens: 2, output_tokens: 3 } } },
    {
      limits: {
        each: { concurrent: 1, input_tokens: 2, output_tokens: 3 },
        total: {},
        session: {},
        keys: new Map(),
      },
    },
  ],
  [{ RATE_LIMIT_STORE: "redis://me:word@host:1/2" }, { rateLimitStore: "redis://me:word@host:1/2" }],
  [{ BODY_MEMORY: "64" }, { bodyMemory: 64 }],
  [{ RATE_LIMIT_STORE: "rediss://host" }, { rateLimitStore: "rediss://host" }],
  [{ STATE_DIR: "/var/lib/gateway" }, { stateDir: "/var/lib/gateway" }],
  [{ KEY_STORE: " state_dir ", STATE_DIR: "state" }, { keyStore: "state_dir", stateDir: "state" }],
  [{ KEY_STORE: "redis://host", SIGN_IN: "on" }, { keyStore: "redis://host", signIn: "on" }],
  [{ DATA_DIR: "data", DATA_QUOTA: "1" }, { dataDir: "data", dataQuota: 1 }],
  [{ DATA_URL: "postgres://me:word@host/data?sslmode=require" }, {
    dataUrl: "postgres://me:word@host/data?sslmode=require",
  }],
  [
    {
      DATA_DIR: "data",
      RESTATE_INGRESS_URL: "http://host:8080/",
      RESTATE_IDENTITY_KEYS: "publickeyv1_a,publickeyv1_b",
    },
    {
      dataDir: "data",
      restateIngressUrl: "http://host:8080",
      restateIdentityKeys: ["publickeyv1_a", "publickeyv1_b"],
    },
  ],
  [{ BATCH_CONCURRENCY: 1000 }, { batchConcurrency: 1000 }],
  [
    {
      TOOLS: "files-read, shell",
      WORKSPACE_ROOT: "/srv/work",
      GATEWAY_API_KEYS: "alice:k",
      WEB_FETCH_ALLOW_HOSTS: "LocalHost:8080,[::1]:9",
    },
    {
      tools: new Set(["files-read", "shell"]),
      workspaceRoot: "/srv/work",
      gatewayApiKeys: [{ name: "alice", key: "k" }],
      webFetchAllowHosts: ["localhost:8080", "[::1]:9"],
    },
  ],
  [{ WEB_SEARCH: "Brave", WEB_SEARCH_KEY: "k" }, { webSearch: "brave", webSearchKey: "k" }],
  [{ WEB_SEARCH_URL: "http://localhost:8888" }, { webSearchUrl: "http://localhost:8888" }],
  [{ MCP_CONNECTORS: "Off", MCP_CONNECT_TIMEOUT: "0.5", MCP_RESULT_CHARS: 1000 }, {
    mcpConnectors: "off",
    mcpConnectTimeout: 0.5,
    mcpResultChars: 1000,
  }],
  [{ TOOL_RATE: 0, TOOL_TURNS: "1", TOOL_TIMEOUT: 0.5 }, { toolRate: 0, toolTurns: 1, toolTimeout: 0.5 }],
  [{ SHELL_SANDBOX: "off", SHELL_NETWORK: "on" }, { shellSandbox: "off", shellNetwork: "on" }],
  [{ LOG_LEVEL: "WARN" }, { logLevel: "warn" }],
  [{ LOG_LEVEL: "off" }, { logLevel: "off" }],
  [{ LOG_COMPONENTS: "tool=DEBUG, request=off" }, {
    logComponents: new Map([["tool", "debug"], ["request", "off"]]),
  }],
  [{ LOG_BODIES: "true", LOG_DIR: "logs" }, { logBodies: "on", logDir: "logs" }],
  [{ ENVIRONMENT: "Development" }, { environment: "development" }],
];

for (const [settings, expected] of GOOD) {
  test(`parseConfig() accepts ${JSON.stringify(settings)}`, () => {
    assert.deepEqual(parseConfig({ settings }), { ...DEFAULTS, ...expected });
  });
}

const PORT = "expected a whole number from 0 to 65535";
const KEY = "expected a key of printable ASCII characters without spaces";
const URL_ = "expected an http or https URL without user name, password, query and fragment";
const OBJECT = 'expected a JSON object such as {"fast": "openai/gpt-5-mini"}';
const ALIAS =
  'must have a name and be "model" or {"model": "…"}, optionally with "upstream" (string), "options" (object), "cache_control" (true or false) and "fallbacks" (list of models)';
const TARGETS =
  'must have a name and "targets", a list of models, each optionally with "upstream", "options", "cache_control" and "weight" (1 to 1000), and optionally "fallbacks" (list of models)';
const UPSTREAMS =
  'expected a JSON object such as {"groq": {"url": "https://api.groq.com/openai/v1", "key": "…"}}';
const HOSTS =
  "other, openrouter, openai, azure, gemini, groq, deepseek, mistral, xai, zai, moonshot, ollama, vllm, llamacpp, lmstudio, anthropic";
const WHOLE = "a whole number of at least 1, or null for no limit";
const USD = "an amount in USD of at least 0, or null for no limit";
const DATABASE = "expected a postgres:// URL with a host and the name of a database";
const KEY_STORE =
  "expected state_dir, or a redis:// or rediss:// URL with a host, without query and fragment";
const STORE = "expected memory, or a redis:// or rediss:// URL with a host, without query and fragment";
const SECONDS = "expected a number of seconds from 0 to 604800";

const KEYS = 'expected keys such as "name:key", separated by commas';
const NAMES = "expected host names without ports, separated by commas";
const ORIGINS = 'expected origins such as "https://example.com", separated by commas, or "*"';

const GROUPS = "expected files-read, files-write, shell or network, separated by commas";
const FOLDER = "expected the absolute path of a folder, such as /srv/work";
const HOST_PORT = 'expected hosts with ports such as "localhost:8080", separated by commas';

const WRONG: [name: keyof Settings, given: unknown, shown: string, allowed: string | string[]][] = [
  ["PORT", "", '""', PORT],
  ["PORT", "65536", '"65536"', PORT],
  ["PORT", "-1", '"-1"', PORT],
  ["PORT", "40.5", '"40.5"', PORT],
  ["PORT", "1e3", '"1e3"', PORT],
  ["PORT", "0x10", '"0x10"', PORT],
  ["PORT", Number.NaN, '"NaN"', PORT],
  ["PORT", 10n, '"10"', PORT],
  ["PORT", null, '"null"', PORT],
  ["PORT", "4000\nPORT", '"4000\\nPORT"', PORT],
  ["HOST", " ", '" "', "expected a host name or an address"],
  ["GATEWAY_API_KEYS", "", "(0 characters)", "key 1 is empty"],
  ["GATEWAY_API_KEYS", " ", "(1 characters)", "key 1 is empty"],
  ["GATEWAY_API_KEYS", [], "(2 characters)", KEYS],
  ["GATEWAY_API_KEYS", {}, "(2 characters)", KEYS],
  ["GATEWAY_API_KEYS", "0123456789abcdef,", "(17 characters)", "key 2 is empty"],
  ["GATEWAY_API_KEYS", "bob:", "(4 characters)", "key 1 is empty"],
  [
    "GATEWAY_API_KEYS",
    "bob:0123456789 abcdef",
    "(21 characters)",
    "key 1 must be printable ASCII characters without spaces",
  ],
  [
    "GATEWAY_API_KEYS",
    "bob:sha256:0123456789abcdef",
    "(27 characters)",
    "key 1 must have 64 hexadecimal digits after sha256:",
  ],
  [
    "GATEWAY_API_KEYS",
    "b b:0123456789abcdef",
    "(20 characters)",
    'key 1 must have a name of letters, digits, ".", "_" and "-" before its colon',
  ],
  [
    "GATEWAY_API_KEYS",
    "admin:0123456789abcdef",
    "(22 characters)",
    "key 1 has a reserved name",
  ],
  [
    "GATEWAY_API_KEYS",
    "bob:0123456789abcdef,bob:fedcba9876543210",
    "(41 characters)",
    "key 2 has the same name as another key",
  ],
  [
    "GATEWAY_API_KEYS",
    "0123456789abcdef,key-1:fedcba9876543210",
    "(39 characters)",
    "key 2 has the same name as another key",
  ],
  [
    "GATEWAY_API_KEYS",
    "a:0123456789abcdef,b:0123456789abcdef",
    "(37 characters)",
    "key 2 is the same as another key",
  ],
  ["GATEWAY_ADMIN_KEY", "", "(0 characters)", "the key is empty"],
  ["GATEWAY_ADMIN_KEY", 1234567890123456, "(16 characters)", "expected a key"],
  ["KEY_STORE", "disk", "(4 characters)", KEY_STORE],
  ["KEY_STORE", "", "(0 characters)", KEY_STORE],
  ["SIGN_IN", "yes", '"yes"', "expected on or off"],
  ["MODEL_ACCESS", "[]", '"[]"', 'expected a JSON object such as {"alice": ["openai/*", "fast"]}'],
  ["MODEL_ACCESS", '{"local": "a"}', '"{\\"local\\": \\"a\\"}"', 'key "local" must have a list of models'],
  ["MODEL_ACCESS", { local: [""] }, '"{\\"local\\":[\\"\\"]}"', 'key "local" must have a list of models'],
  ["OPEN_ACCESS", "yes", '"yes"', "expected on or off"],
  ["ALLOWED_HOSTS", "gateway.test:4000", '"gateway.test:4000"', NAMES],
  ["ALLOWED_HOSTS", "[::1]:4000", '"[::1]:4000"', NAMES],
  ["ALLOWED_HOSTS", "http://gateway.test", '"http://gateway.test"', NAMES],
  ["ALLOWED_HOSTS", "*.test", '"*.test"', NAMES],
  ["ALLOWED_HOSTS", ",", '","', [NAMES, NAMES]],
  ["ALLOWED_HOSTS", 7, '"7"', "expected a list, separated by commas"],
  ["CORS_ORIGINS", "chat.test", '"chat.test"', ORIGINS],
  ["CORS_ORIGINS", "https://chat.test/", '"https://chat.test/"', ORIGINS],
  ["CORS_ORIGINS", "null", '"null"', ORIGINS],
  ["CORS_ORIGINS", "https://*.test", '"https://*.test"', ORIGINS],
  ["OPENROUTER_API_KEY", "", "(0 characters)", KEY],
  ["OPENROUTER_API_KEY", "two words", "(9 characters)", KEY],
  ["OPENROUTER_API_KEY", "line\nbreak", "(10 characters)", KEY],
  ["OPENROUTER_API_KEY", 12, "(2 characters)", KEY],
  ["OPENROUTER_BASE_URL", "openrouter.ai", '"openrouter.ai"', URL_],
  ["OPENROUTER_BASE_URL", "ftp://host", '"ftp://host"', URL_],
  ["OPENROUTER_BASE_URL", "http://host/v1?a=1", '"http://host/v1?a=1"', URL_],
  ["OPENROUTER_BASE_URL", "http://host/v1#a", '"http://host/v1#a"', URL_],
  ["OPENROUTER_BASE_URL", "http://me:word@host", '"http://[redacted]@host"', URL_],
  ["UPSTREAMS", "", "(0 characters)", UPSTREAMS],
  ["UPSTREAMS", "7", "(1 characters)", UPSTREAMS],
  ["UPSTREAMS", '{"a":1}', "(7 characters)", 'upstream "a" must be an object with a "url"'],
  ["UPSTREAMS", { a: {} }, "(8 characters)", `upstream "a" has an invalid url: ${URL_}`],
  [
    "UPSTREAMS",
    { demo: { url: "http://h" } },
    "(27 characters)",
    'upstream "demo" has the name of a built-in upstream',
  ],
  [
    "UPSTREAMS",
    { "a/b": { url: "http://h" } },
    "(26 characters)",
    'upstream "a/b" must have a name of letters, digits, ".", "_" and "-"',
  ],
  [
    "UPSTREAMS",
    [{ name: "a", url: "http://h" }, { name: "a", url: "http://i" }],
    "(61 characters)",
    'upstream "a" is defined twice',
  ],
  [
    "UPSTREAMS",
    { a: { url: "http://h", preset: "grok" } },
    "(40 characters)",
    `upstream "a" has an invalid preset: expected one of ${HOSTS}; the nearest is "groq"`,
  ],
  [
    "UPSTREAMS",
    { a: { url: "http://h", apikey: "hidden" } },
    "(42 characters)",
    'upstream "a" has an unknown field "apikey"; the nearest is key',
  ],
  [
    "UPSTREAMS",
    { a: { url: "http://h", headers: { "x-a": "b\nc" } } },
    "(49 characters)",
    'upstream "a" has an invalid headers: expected an object of headers, each a single line of ASCII text',
  ],
  [
    "UPSTREAMS",
    { a: { url: "http://h", dialect: "german" } },
    "(43 characters)",
    'upstream "a" has an invalid dialect: expected auto, openai, responses or anthropic',
  ],
  [
    "UPSTREAMS",
    { a: { url: "http://h", key: "two words" } },
    "(42 characters)",
    'upstream "a" has an invalid key: expected printable ASCII characters without spaces',
  ],
  ["ANTHROPIC_MODEL", "", '""', "expected a model's name"],
  ["ANTHROPIC_SMALL_FAST_MODEL", "a\u0000b", '"a\\u0000b"', "expected a model's name"],
  ["AUTO_MODE_MODEL", "a\u0000b", '"a\\u0000b"', "expected a model's name"],
  ["MODEL_MAP", "", '""', OBJECT],
  ["MODEL_MAP", "{", '"{"', OBJECT],
  ["MODEL_MAP", "[]", '"[]"', OBJECT],
  ["MODEL_MAP", "null", '"null"', OBJECT],
  ["MODEL_MAP", 7, '"7"', OBJECT],
  ["MODEL_MAP", '{"a":1}', '"{\\"a\\":1}"', `alias "a" ${ALIAS}`],
  ["MODEL_MAP", '{"a":""}', '"{\\"a\\":\\"\\"}"', `alias "a" ${ALIAS}`],
  ["MODEL_MAP", '{" ":"m"}', '"{\\" \\":\\"m\\"}"', `alias " " ${ALIAS}`],
  ["MODEL_MAP", { a: {} }, '"{\\"a\\":{}}"', `alias "a" ${ALIAS}`],
  [
    "MODEL_MAP",
    { a: { model: "m", extra: 1 } },
    '"{\\"a\\":{\\"model\\":\\"m\\",\\"extra\\":1}}"',
    'alias "a" has an unknown key "extra"; expected model, upstream, options, cache_control, fallbacks, targets',
  ],
  [
    "MODEL_MAP",
    { a: { model: "m", options: [] } },
    '"{\\"a\\":{\\"model\\":\\"m\\",\\"options\\":[]}}"',
    `alias "a" ${ALIAS}`,
  ],
  ["UPSTREAM_DIALECT", "google", '"google"', "expected auto, openai, responses or anthropic"],
  ["VALIDATION", "loose", '"loose"', "expected lenient or strict"],
  ["REQUEST_TIMEOUT", "604801", '"604801"', SECONDS],
  ["REQUEST_TIMEOUT", "1h", '"1h"', SECONDS],
  ["CONNECT_TIMEOUT", "soon", '"soon"', SECONDS],
  ["FIRST_BYTE_TIMEOUT", -1, '"-1"', SECONDS],
  ["IDLE_TIMEOUT", "2m", '"2m"', SECONDS],
  ["UPSTREAM_RETRIES", "3", '"3"', "expected a whole number from 0 to 2"],
  ["UPSTREAM_RETRIES", 0.5, '"0.5"', "expected a whole number from 0 to 2"],
  ["COOLDOWN", "-1", '"-1"', "expected a number of seconds from 0 to 604800"],
  ["COOLDOWN_MAX", "0", '"0"', "expected a number of seconds from 1 to 604800"],
  ["HEADER_TIMEOUT", "x", '"x"', SECONDS],
  ["BODY_TIMEOUT", "x", '"x"', SECONDS],
  ["SHUTDOWN_TIMEOUT", "x", '"x"', SECONDS],
  ["HOLD_TIMEOUT", "-1", '"-1"', SECONDS],
  ["HOLD_TIMEOUT", Number.POSITIVE_INFINITY, '"Infinity"', SECONDS],
  ["PING_INTERVAL", "0", '"0"', "expected a number of seconds from 0.1 to 604800"],
  ["COERCE_TOOL_INPUT", "yes", '"yes"', "expected on or off"],
  ["TOOL_CALLS_IN_TEXT", "maybe", '"maybe"', "expected auto, on or off"],
  ["STRUCTURED_MAX_RETRIES", "11", '"11"', "expected a whole number from 0 to 10"],
  ["STRUCTURED_STREAM", "later", '"later"', "expected hold or live"],
  ["LIMITS", "60", '"60"', 'expected a JSON object such as {"each": {"requests": 60}}'],
  [
    "LIMITS",
    { eech: {} },
    '"{\\"eech\\":{}}"',
    'unknown scope "eech"; the nearest is each',
  ],
  ["LIMITS", { each: { streams: 7 } }, '"{\\"each\\":{\\"streams\\":7}}"', [
    'each has an unknown limit "streams"; the nearest is concurrent',
  ]],
  ["MODEL_MAP", { a: { targets: [] } }, '"{\\"a\\":{\\"targets\\":[]}}"', `alias "a" ${TARGETS}`],
  ["MODEL_MAP", { a: { targets: "m" } }, '"{\\"a\\":{\\"targets\\":\\"m\\"}}"', `alias "a" ${TARGETS}`],
  [
    "MODEL_MAP",
    { a: { targets: [{ model: "m", weight: 0 }] } },
    '"{\\"a\\":{\\"targets\\":[{\\"model\\":\\"m\\",\\"weight\\":0}]}}"',
    `alias "a" ${TARGETS}`,
  ],
  [
    "MODEL_MAP",
    { a: { targets: [{ model: "m", wieght: 2 }] } },
    '"{\\"a\\":{\\"targets\\":[{\\"model\\":\\"m\\",\\"wieght\\":2}]}}"',
    'alias "a" has an unknown key "wieght" in a target; the nearest is weight',
  ],
  [
    "MODEL_MAP",
    { a: { model: "m", weight: 2 } },
    '"{\\"a\\":{\\"model\\":\\"m\\",\\"weight\\":2}}"',
    'alias "a" has an unknown key "weight"; expected model, upstream, options, cache_control, fallbacks, targets',
  ],
  [
    "MODEL_MAP",
    { a: { targets: ["m"], model: "n" } },
    '"{\\"a\\":{\\"targets\\":[\\"m\\"],\\"model\\":\\"n\\"}}"',
    'alias "a" has an unknown key "model"; expected targets, fallbacks',
  ],
  [
    "MODEL_MAP",
    { a: { model: "m", cacheControl: false } },
    '"{\\"a\\":{\\"model\\":\\"m\\",\\"cacheControl\\":false}}"',
    [
      'alias "a" has an unknown key "cacheControl"; the nearest is cache_control',
    ],
  ],
  [
    "MODEL_MAP",
    { a: { model: "m", fallbacks: [{ model: "n", cacheControl: false }] } },
    '"{\\"a\\":{\\"model\\":\\"m\\",\\"fallbacks\\":[{\\"model\\":\\"n\\",\\"cacheControl\\":false}]}}"',
    [
      'alias "a" has an unknown key "cacheControl" in a fallback; the nearest is cache_control',
    ],
  ],
  ["UPSTREAMS", { a: { url: "http://h", apiVersion: "1" } }, "(41 characters)", [
    'upstream "a" has an unknown field "apiVersion"; the nearest is api_version',
  ]],
  ["LIMITS", { each: 7 }, '"{\\"each\\":7}"', "each must be an object of limits"],
  ["LIMITS", { keys: 7 }, '"{\\"keys\\":7}"', "keys must be an object of limits by key name"],
  [
    "LIMITS",
    { each: { request: 7 } },
    '"{\\"each\\":{\\"request\\":7}}"',
    'each has an unknown limit "request"; the nearest is requests',
  ],
  [
    "LIMITS",
    { total: { concurrent: 0.5 } },
    '"{\\"total\\":{\\"concurrent\\":0.5}}"',
    `total.concurrent must be ${WHOLE}`,
  ],
  [
    "LIMITS",
    { session: { input_tokens: "9" } },
    '"{\\"session\\":{\\"input_tokens\\":\\"9\\"}}"',
    `session.input_tokens must be ${WHOLE}`,
  ],
  [
    "LIMITS",
    { keys: { al: { usd_day: -1 } } },
    '"{\\"keys\\":{\\"al\\":{\\"usd_day\\":-1}}}"',
    `keys.al.usd_day must be ${USD}`,
  ],
  [
    "LIMITS",
    '{"keys":{"__proto__":{"usd_month":1e999}}}',
    '"{\\"keys\\":{\\"__proto__\\":{\\"usd_month\\":1e999}}}"',
    `keys.__proto__.usd_month must be ${USD}`,
  ],
  ["BODY_MEMORY", "63", '"63"', "expected a whole number from 64 to 65536"],
  ["RATE_LIMIT_STORE", "disk", "(4 characters)", STORE],
  ["RATE_LIMIT_STORE", "redis://", "(8 characters)", STORE],
  ["RATE_LIMIT_STORE", "redis://host?db=1", "(17 characters)", STORE],
  ["RATE_LIMIT_STORE", "http://host", "(11 characters)", STORE],
  ["STATE_DIR", " ", '" "', "expected the path of a folder"],
  ["DATA_DIR", " ", '" "', "expected the path of a folder"],
  ["DATA_URL", "mysql://host/data", "(17 characters)", DATABASE],
  ["DATA_URL", "postgres://me:word@host", "(23 characters)", DATABASE],
  ["DATA_QUOTA", "0", '"0"', "expected a whole number from 1 to 10000000"],
  ["BATCH_CONCURRENCY", "0", '"0"', "expected a whole number from 1 to 1000"],
  [
    "RESTATE_INGRESS_URL",
    "restate:8080",
    '"restate:8080"',
    "expected an http or https URL without user name, password, query and fragment",
  ],
  [
    "RESTATE_IDENTITY_KEYS",
    "publickeyv1_a,key",
    '"publickeyv1_a,key"',
    "expected public keys that begin with publickeyv1_, separated by commas",
  ],
  ["TOOLS", "files-read,all", '"files-read,all"', GROUPS],
  ["TOOLS", "", '""', GROUPS],
  ["WORKSPACE_ROOT", "work", '"work"', FOLDER],
  ["MCP_CONFIG", " ", '" "', "expected the path of a file"],
  ["TOOL_TIMEOUT", "0", '"0"', "expected a number of seconds from 0.1 to 604800"],
  ["TOOL_CONCURRENCY", "0", '"0"', "expected a whole number from 1 to 1000"],
  ["TOOL_RATE", "-1", '"-1"', "expected a whole number from 0 to 1000000"],
  ["TOOL_TURNS", "0", '"0"', "expected a whole number from 1 to 1000"],
  ["SHELL_SANDBOX", "on", '"on"', "expected required or off"],
  ["SHELL_NETWORK", "yes", '"yes"', "expected on or off"],
  ["WEB_FETCH_ALLOW_HOSTS", "localhost", '"localhost"', HOST_PORT],
  ["WEB_FETCH_ALLOW_HOSTS", "a:1,http://b:2", '"a:1,http://b:2"', HOST_PORT],
  ["WEB_SEARCH", "google", '"google"', "expected openrouter, searxng, brave, tavily or exa"],
  ["WEB_SEARCH_MAX_USES", "0", '"0"', "expected a whole number from 1 to 1000"],
  ["WEB_SEARCH_URL", "localhost", '"localhost"', URL_],
  ["WEB_SEARCH_KEY", "a b", "(3 characters)", KEY],
  ["MCP_CONNECTORS", "maybe", '"maybe"', "expected on or off"],
  ["MCP_CONNECT_TIMEOUT", "0", '"0"', "expected a number of seconds from 0.1 to 604800"],
  ["MCP_RESULT_CHARS", "99", '"99"', "expected a whole number from 100 to 10000000"],
  ["LOG_LEVEL", "verbose", '"verbose"', "expected debug, info, warn, error or off"],
  [
    "LOG_COMPONENTS",
    "tools=debug",
    '"tools=debug"',
    'expected levels of components such as "tool=debug,request=off"; components are request, tool, upstream, limits, gateway',
  ],
  ["LOG_FORMAT", "xml", '"xml"', "expected json or pretty"],
  ["LOG_DIR", " ", '" "', "expected the path of a folder"],
  ["LOG_RETENTION", "0", '"0"', "expected a whole number from 1 to 366"],
  ["LOG_BODIES", "yes", '"yes"', "expected on or off"],
  ["RECORD_DIR", " ", '" "', "expected the path of a folder"],
  ["ENVIRONMENT", "staging", '"staging"', "expected development, production or testing"],
];

for (const [name, given, shown, allowed] of WRONG) {
  test(`parseConfig() rejects ${name} ${shown} (${typeof given})`, () => {
    // The value breaks the type on purpose: JavaScript can pass any value.
    const settings: Settings = JSON.parse("{}");
    Object.assign(settings, { [name]: given });
    const mistakes = [allowed].flat().map((each) => `Cannot use ${name} ${shown} (settings): ${each}`);
    assert.deepEqual(mistakesOf({ settings }), mistakes);
  });
}

test("parseConfig() has a rejected value for every setting in the table above", () => {
  assert.deepEqual([...new Set(WRONG.map(([name]) => name))], SETTING_NAMES);
});

test("parseConfig() reports all mistakes at once, those of the command line first", () => {
  const flags = readFlags(["--port=x", "--hots=1", "--log-level"]);
  const env = { ENVIRONMENT: "x", MODEL_MAP: '{"a":1,"b":2}' };
  assert.deepEqual(mistakesOf({ flags, env }), [
    'Cannot use flag "--hots": unknown flag, the nearest is --host',
    'Cannot use flag "--log-level": it needs a value',
    'Cannot use PORT "x" (--port): expected a whole number from 0 to 65535',
    `Cannot use MODEL_MAP "{\\"a\\":1,\\"b\\":2}" (environment): alias "a" ${ALIAS}`,
    `Cannot use MODEL_MAP "{\\"a\\":1,\\"b\\":2}" (environment): alias "b" ${ALIAS}`,
    'Cannot use ENVIRONMENT "x" (environment): expected development, production or testing',
  ]);
});

test("parseConfig() rejects aliases of unknown upstreams", () => {
  const MODEL_MAP = {
    a: { model: "m", upstream: "gone" },
    b: { model: "m", upstream: "openrouter", fallbacks: ["m", { model: "m", upstream: "away" }] },
    c: { model: "m", upstream: "here" },
    t: { targets: ["m", { model: "m", upstream: "here" }, { model: "m", upstream: "far" }] },
  };
  assert.deepEqual(mistakesOf({ settings: { MODEL_MAP, UPSTREAMS: { here: { url: "http://h" } } } }), [
    'Cannot use MODEL_MAP: alias "a" uses upstream "gone", which is not in UPSTREAMS',
    'Cannot use MODEL_MAP: alias "b" uses upstream "away", which is not in UPSTREAMS',
    'Cannot use MODEL_MAP: alias "t" uses upstream "far", which is not in UPSTREAMS',
  ]);
});

test("parseConfig() rejects tools without a workspace or without keys", () => {
  const TOOLS = "network";
  const [withoutKey, withoutWorkspace] = [
    "Cannot use TOOLS: GATEWAY_API_KEYS is not set, and any client could run them",
    "Cannot use TOOLS: WORKSPACE_ROOT is not set",
  ];
  assert.deepEqual(mistakesOf({ settings: { TOOLS } }), [withoutKey, withoutWorkspace]);
  assert.deepEqual(mistakesOf({ settings: { TOOLS, WORKSPACE_ROOT: "/w", GATEWAY_ADMIN_KEY: "k" } }), [
    withoutKey,
  ]);
  const rest = { GATEWAY_API_KEYS: "alice:k", WORKSPACE_ROOT: "/w" };
  assert.deepEqual(mistakesOf({ settings: { TOOLS, ...rest, WEB_SEARCH: "searxng" } }), [
    "Cannot use TOOLS: WEB_SEARCH_URL is not set, and SearXNG has no default address",
  ]);
});

test("parseConfig() rejects MCP servers that any client of any machine could use", () => {
  const MCP_CONFIG = ".mcp.json";
  assert.deepEqual(mistakesOf({ settings: { MCP_CONFIG, OPEN_ACCESS: "on" } }), [
    "Cannot use MCP_CONFIG: GATEWAY_API_KEYS is not set and OPEN_ACCESS is on, so any client could use the servers",
  ]);
  parseConfig({ settings: { MCP_CONFIG, OPEN_ACCESS: "on", GATEWAY_API_KEYS: "alice:k" } });
  parseConfig({ settings: { MCP_CONFIG } });
});

test("parseConfig() rejects limits for unknown keys", () => {
  const LIMITS = { keys: { alice: {}, admin: {}, local: {} } };
  const unknownKey = (name: string, known: string) =>
    `Cannot use LIMITS: no key is named "${name}"; the names are ${known}`;
  assert.deepEqual(mistakesOf({ settings: { LIMITS } }), [
    unknownKey("alice", '"local"'),
    unknownKey("admin", '"local"'),
  ]);
  const keys = { GATEWAY_API_KEYS: "alice:0123456789abcdef", GATEWAY_ADMIN_KEY: "fedcba9876543210" };
  assert.deepEqual(mistakesOf({ settings: { LIMITS, ...keys } }), [unknownKey("local", '"alice", "admin"')]);
});

test("parseConfig() requires of KEY_STORE its folder, and of SIGN_IN a key", () => {
  assert.deepEqual(mistakesOf({ settings: { KEY_STORE: "state_dir" } }), [
    "Cannot use KEY_STORE: STATE_DIR, the folder for the keys, is not set",
  ]);
  assert.deepEqual(mistakesOf({ settings: { SIGN_IN: "on", GATEWAY_ADMIN_KEY: "k" } }), [
    "Cannot use SIGN_IN: neither GATEWAY_API_KEYS nor KEY_STORE is set, and there is no key to sign in with",
  ]);
  const KEY_STORE = "redis://host";
  parseConfig({ settings: { KEY_STORE, TOOLS: "network", WORKSPACE_ROOT: "/w" } });
  requireKeysOffLoopback(parseConfig({ settings: { KEY_STORE } }), "0.0.0.0");
  const LIMITS = { keys: { local: {} } };
  assert.deepEqual(mistakesOf({ settings: { KEY_STORE, LIMITS } }), [
    'Cannot use LIMITS: no key is named "local"; the settings have no keys',
  ]);
});

test("parseConfig() reports aliases of unknown upstreams beside all other mistakes", () => {
  const MODEL_MAP = { a: { model: "m", upstream: "gone" } };
  assert.deepEqual(mistakesOf({ settings: { MODEL_MAP, PORT: "x" } }), [
    'Cannot use PORT "x" (settings): expected a whole number from 0 to 65535',
    'Cannot use MODEL_MAP: alias "a" uses upstream "gone", which is not in UPSTREAMS',
  ]);
  // Without valid UPSTREAMS, the names of upstreams are unknown.
  assert.deepEqual(mistakesOf({ settings: { MODEL_MAP, UPSTREAMS: { here: { url: "x" } } } }), [
    'Cannot use UPSTREAMS (20 characters) (settings): upstream "here" has an invalid url: expected an http or https URL without user name, password, query and fragment',
  ]);
});

const PRECEDENCE: [Sources, port: number][] = [
  [{}, 4000],
  [{ env: { PORT: "1" } }, 1],
  [{ env: { PORT: "1" }, settings: { PORT: 2 } }, 2],
  [{ env: { PORT: "1" }, settings: { PORT: 2 }, flags: readFlags(["--port", "3"]) }, 3],
  [{ env: { PORT: "x" }, flags: readFlags(["--port", "3"]) }, 3],
  [{ env: { PORT: "" } }, 4000],
  [{ env: { PORT: "1" }, settings: { PORT: undefined } }, 1],
];

for (const [sources, port] of PRECEDENCE) {
  test(`parseConfig() reads port ${port} from ${JSON.stringify(sources)}`, () => {
    assert.equal(parseConfig(sources).port, port);
  });
}

test("parseConfig() ignores an empty key in the environment and rejects one from another source", () => {
  assert.equal(parseConfig({ env: { OPENROUTER_API_KEY: "" } }).openrouterApiKey, undefined);
  assert.deepEqual(mistakesOf({ flags: readFlags(["--api-key="]) }), [
    `Cannot use OPENROUTER_API_KEY (0 characters) (--api-key): ${KEY}`,
  ]);
});

test("parseConfig() rejects an empty variable that restricts access", () => {
  assert.deepEqual(mistakesOf({ env: { GATEWAY_API_KEYS: "", GATEWAY_ADMIN_KEY: "" } }), [
    "Cannot use GATEWAY_API_KEYS (0 characters) (environment): key 1 is empty",
    "Cannot use GATEWAY_ADMIN_KEY (0 characters) (environment): the key is empty",
  ]);
});

test("parseConfig() rejects an admin key that is a client key too", () => {
  const key = "0123456789abcdef";
  const sha256 = `sha256:${"0".repeat(64)}`;
  for (const both of [key, sha256]) {
    assert.deepEqual(mistakesOf({ settings: { GATEWAY_API_KEYS: `bob:${both}`, GATEWAY_ADMIN_KEY: both } }), [
      "Cannot use GATEWAY_ADMIN_KEY: it is also in GATEWAY_API_KEYS",
    ]);
  }
  assert.deepEqual(mistakesOf({ settings: { GATEWAY_API_KEYS: sha256, GATEWAY_ADMIN_KEY: key } }), []);
});

test("parseConfig() treats the names of Object.prototype as plain alias names", () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  const json = `{${names.map((name) => `"${name}": "model of ${name}"`).join()}}`;
  const { modelMap } = parseConfig({ env: { MODEL_MAP: json } });
  assert.deepEqual([...modelMap], names.map((name) => [name, { model: `model of ${name}` }]));
  assert.equal(modelMap.get("valueOf"), undefined);
  assert.equal(parseConfig({}).modelMap.get("toString"), undefined);
});

test("parseConfig() keeps the options of an alias from changing the prototype", () => {
  const { modelMap } = parseConfig({
    env: { MODEL_MAP: '{"a":{"model":"m","options":{"__proto__":{"polluted":1}}}}' },
  });
  const [[target] = []] = toTargetGroups(modelMap.get("a") ?? { model: "missing" });
  const options = target?.options ?? {};
  assert.equal(target?.model, "m");
  assert.equal(Object.getPrototypeOf(options), Object.prototype);
  assert.equal(Object.assign({}, options).polluted, undefined);
});

const SECRETS = [
  "sk-or-v1-0123456789abcdef",
  "sk-ant-api03-Abc_def-123456",
  "Bearer tell.nobody",
  "http://me:tell-nobody@host",
];

for (const name of SETTING_NAMES) {
  for (const secret of SECRETS) {
    test(`parseConfig() and describeConfig() hide a credential in ${name}: ${secret.slice(0, 6)}…`, () => {
      const places: Sources[] = [
        { env: { [name]: secret } },
        { flags: readFlags([SETTINGS[name].flag, secret]) },
        { flags: readFlags([`${SETTINGS[name].flag}x`, secret, secret]) },
        { flags: readFlags([`--${secret}`]) },
      ];
      const output = places.map((sources) => [describeConfig(sources), ...mistakesOf(sources)].join("\n"))
        .join(
          "\n",
        );
      for (const hidden of ["0123456789", "Abc_def", "tell.nobody", "tell-nobody"]) {
        assert.equal(output.includes(hidden), false, output);
      }
    });
  }
}

test("parseConfig() and describeConfig() hide every part of a key", () => {
  const key = "correct-horse battery";
  const sources = { flags: readFlags(["--api-key", key, "--apikey", key]) };
  const output = [describeConfig(sources), ...mistakesOf(sources)].join("\n");
  assert.equal(/correct|horse|battery/.test(output), false, output);
  assert.match(
    describeConfig({ env: { OPENROUTER_API_KEY: "abcdef" } }),
    /OPENROUTER_API_KEY +set \(6 characters\) \(environment\)/,
  );
});

test("describeConfig() lists the limits and hides the password of the store", () => {
  const output = describeConfig({
    env: { RATE_LIMIT_STORE: "redis://me:hidden@host", LIMITS: '{"each":{"requests":6}}' },
  });
  assert.match(
    output,
    /LIMITS +\{"each":\{"concurrent":1000,"requests":6\},"total":\{\},"session":\{\},"keys":\{\}\} /,
  );
  assert.match(output, /RATE_LIMIT_STORE +set \(22 characters\)/);
  assert.match(describeConfig({}), /RATE_LIMIT_STORE +memory \(default\)/);
});

function mistakesOf(sources: Sources): readonly string[] {
  try {
    parseConfig(sources);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, error.mistakes.join("\n"));
    return error.mistakes;
  }
}

test("parseConfig() rejects two stores, and Restate without a store or without keys", () => {
  const RESTATE = { RESTATE_INGRESS_URL: "http://host:8080" };
  const cases: [settings: Settings, mistakes: string[]][] = [
    [{ DATA_DIR: "data", DATA_URL: "postgres://host/data" }, ["Cannot use DATA_URL: DATA_DIR is set, too"]],
    [RESTATE, [
      "Cannot use RESTATE_INGRESS_URL: DATA_URL or DATA_DIR is not set, which the gateways share",
      "Cannot use RESTATE_INGRESS_URL: RESTATE_IDENTITY_KEYS is not set, and anybody could send work",
    ]],
  ];
  for (const [settings, mistakes] of cases) {
    assert.throws(() => parseConfig({ settings }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.mistakes, mistakes);
      return true;
    });
  }
});
