import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigFile, parseConfigFile } from "../../lib/config/sources/config_file.ts";
import { loadSources } from "../../lib/config/sources/load_sources.ts";
import { ConfigError, parseConfig, toSettings } from "../../lib/config/parse.ts";

const VARIABLES: Record<string, string> = { KEY: "sk-or-0123456789", EMPTY: "", HOST_NAME: "h.test" };

const parse = (text: string) => parseConfigFile(text, "g.json", (name) => VARIABLES[name]);

const VALUES: [text: string, values: ConfigFile["values"]][] = [
  ["{}", {}],
  ['\ufeff{"PORT": 1}', { PORT: 1 }],
  ['// a\n{ /* b */ "PORT": 8080, // c\n}', { PORT: 8080 }],
  ['{"$schema": "./x.json", "OPEN_ACCESS": true, "TOOLS": ["shell"]}', {
    OPEN_ACCESS: true,
    TOOLS: ["shell"],
  }],
  ['{"OPENROUTER_API_KEY": "${KEY}"}', { OPENROUTER_API_KEY: "sk-or-0123456789" }],
  ['{"GATEWAY_API_KEYS": ["a:${KEY}", "b:${NONE:-x}"]}', { GATEWAY_API_KEYS: ["a:sk-or-0123456789", "b:x"] }],
  ['{"UPSTREAMS": {"a": {"url": "http://${HOST_NAME}/v1", "headers": {"x": "$${KEY} $5"}}}}', {
    UPSTREAMS: { a: { url: "http://h.test/v1", headers: { x: "${KEY} $5" } } },
  }],
  ['{"PORT": "${EMPTY:-4001}", "WEB_SEARCH_KEY": "${EMPTY:-}", "HOST": "${NONE:-a:-b}"}', {
    PORT: "4001",
    HOST: "a:-b",
  }],
];

for (const [text, values] of VALUES) {
  test(`parseConfigFile() reads ${text}`, () => {
    const file = parse(text);
    assert.deepEqual([file.mistakes, file.values], [[], values]);
  });
}

const MISTAKES: [text: string, mistakes: string[]][] = [
  ["", ["Cannot read g.json:1:1: expected a value"]],
  ["[]", ['Cannot read g.json:1:1: expected an object of settings, such as {"PORT": 4000}']],
  ['{\n  "PORT": 1\n  "HOST": "h"\n}', ["Cannot read g.json:3:3: expected a comma"]],
  ['{"PORT" 1}', ["Cannot read g.json:1:9: expected a colon"]],
  ["{PORT: 1}", ["Cannot read g.json:1:2: this is no value: texts are in double quotes"]],
  ['{"HOST": "a\\q"}', ["Cannot read g.json:1:10: no such escape: a backslash is written \\\\"]],
  ['{"PORT": 1, "PORT": 2}', ['Cannot use "PORT" (g.json:1:13): it is set twice']],
  ['{\r\n  "prot": 1}', [
    'Cannot use "prot" (g.json:2:3): no setting has this name; the nearest is PORT',
  ]],
  ['{"something_else": 1}', [
    'Cannot use "something_else" (g.json:1:2): no setting has this name, --help lists all',
  ]],
  ['{"PORT_FILE": "x"}', ['Cannot use "PORT_FILE" (g.json:1:2): only secrets can be read from a file']],
  ['{"__proto__": {}}', ['Cannot use "__proto__" (g.json:1:2): no setting has this name, --help lists all']],
  ['{"OPENROUTER_API_KEY_FILE": 1}', [
    'Cannot use "OPENROUTER_API_KEY_FILE" (g.json:1:2): expected the path of a file',
  ]],
  ['{"OPENROUTER_API_KEY": "k", "OPENROUTER_API_KEY_FILE": "f"}', [
    'Cannot use "OPENROUTER_API_KEY_FILE" (g.json:1:29): OPENROUTER_API_KEY and OPENROUTER_API_KEY_FILE are both set',
  ]],
  ['{"GATEWAY_API_KEYS": "${EMPTY:-}"}', [
    'Cannot use "GATEWAY_API_KEYS" (g.json:1:2): its variables are empty, and access would be open without it',
  ]],
  ['{"GATEWAY_ADMIN_KEY_FILE": "${NONE:-}"}', [
    'Cannot use "GATEWAY_ADMIN_KEY_FILE" (g.json:1:2): its variables are empty, and access would be open without it',
  ]],
  ['{"HOST": "${NONE}"}', ["Cannot use g.json:1:10: the variable NONE is not set"]],
  ['{"HOST": "${KEY"}', [
    'Cannot use g.json:1:10: expected ${NAME} or ${NAME:-default}, found "${"; "$${" stands for "${"',
  ]],
  ['{"HOST": "${a b}"}', [
    'Cannot use g.json:1:10: expected ${NAME} or ${NAME:-default}, found "${a b}"; "$${" stands for "${"',
  ]],
];

for (const [text, mistakes] of MISTAKES) {
  test(`parseConfigFile() rejects ${text || "an empty file"}`, () => {
    assert.deepEqual(parse(text).mistakes, mistakes);
  });
}

test("parseConfigFile() keeps a member named __proto__ as a member", () => {
  const { values: { UPSTREAMS } } = parse('{"UPSTREAMS": {"__proto__": {"url": "http://h/v1"}}}');
  assert.deepEqual(Object.keys(Object(UPSTREAMS)), ["__proto__"]);
});

/** Mistakes in values, and the reported place: that of the nearest value. */
const PLACES: [text: string, mistake: RegExp][] = [
  ['{\n  "PORT": 70000\n}', /^Cannot use PORT "70000" \(g\.json:2:11\): expected a whole number/],
  ['{"PORT": null}', /^Cannot use PORT "null" \(g\.json:1:10\): /],
  [
    '{"UPSTREAMS": {"a": {"url": "http://h/v1"},\n "b": {"url": 5}}}',
    /\(g\.json:2:15\): upstream "b" has an inv/,
  ],
  ['{"UPSTREAMS": [\n {"name": "a", "url": "x"}]}', /\(g\.json:2:23\): upstream "a" has an invalid url/],
  ['{"MODEL_MAP": {\n"a": {"modle": "m"}}}', /\(g\.json:2:6\): alias "a" has an unknown key "modle"/],
  ['{"LIMITS": {"keys": {"local": {\n"usd_day": -1}}}}', /\(g\.json:2:12\): keys\.local\.usd_day must be/],
  ['{"GATEWAY_API_KEYS": ["a:b",\n ""]}', /^Cannot use GATEWAY_API_KEYS .*\(g\.json:2:2\): key 2 is empty$/],
];

for (const [text, mistake] of PLACES) {
  test(`parseConfig() reports the place of a mistake in ${text}`, () => {
    assert.throws(
      () => parseConfig({ file: parse(text) }),
      (error) => error instanceof ConfigError && mistake.test(error.message),
    );
  });
}

const FILES: Record<string, string> = {
  "conf/g.json": '{"OPENROUTER_API_KEY_FILE": "key", "PORT": 5000, "HOST": "h", "LOG_LEVEL": "off"}',
  "conf/key": "sk-of-the-file\r\n",
  "/run/admin": "0123456789abcdef\n",
  "/run/empty": "\n",
};

function load(variables: Record<string, string>, flags: { values?: object; configPath?: string } = {}) {
  const { configPath, values = {} } = flags;
  return loadSources({ flags: { values, mistakes: [] }, configPath }, {
    readVariable: (name) => variables[name],
    readTextFile(path) {
      const text = FILES[path];
      if (text === undefined) throw new Error("no such file");
      return text;
    },
  });
}

test("loadSources() prefers flags to the environment, and that to the configuration file", async () => {
  const sources = await load({ CONFIG_FILE: "conf/g.json", PORT: "6000", HOST: "env" }, {
    values: { PORT: "7000" },
  });
  const { port, host, logLevel, openrouterApiKey, pingInterval } = parseConfig(sources);
  assert.deepEqual([port, host, logLevel, openrouterApiKey, pingInterval], [
    7000,
    "env",
    "off",
    "sk-of-the-file",
    10,
  ]);
  assert.deepEqual(parseConfig({ settings: toSettings(sources) }), parseConfig(sources));
  assert.deepEqual(sources.files, ["conf/g.json", "conf/key"]);
});

test("loadSources() reads secrets from the files that variables name", async () => {
  const sources = await load({ GATEWAY_ADMIN_KEY_FILE: "/run/admin", CONFIG_FILE: "" });
  assert.deepEqual(parseConfig(sources).gatewayAdminKey, { name: "admin", key: "0123456789abcdef" });
  assert.deepEqual(sources.origins, { GATEWAY_ADMIN_KEY: "GATEWAY_ADMIN_KEY_FILE" });
});

const UNREADABLE: [variables: Record<string, string>, mistake: string][] = [
  [{ CONFIG_FILE: "none.json" }, 'Cannot read the configuration file "none.json": no such file'],
  [
    { GATEWAY_API_KEYS_FILE: "" },
    "Cannot use GATEWAY_API_KEYS_FILE: it is empty, and access would be open without it",
  ],
  [{ OPENROUTER_API_KEY_FILE: "/none" }, 'Cannot use OPENROUTER_API_KEY_FILE "/none": no such file'],
  [
    { OPENROUTER_API_KEY_FILE: "/run/empty" },
    'Cannot use OPENROUTER_API_KEY_FILE "/run/empty": the file is empty',
  ],
  [
    { OPENROUTER_API_KEY_FILE: "conf/key", OPENROUTER_API_KEY: "k" },
    "Cannot use OPENROUTER_API_KEY_FILE: OPENROUTER_API_KEY is also set",
  ],
];

for (const [variables, mistake] of UNREADABLE) {
  test(`loadSources() reports ${JSON.stringify(variables)}`, async () => {
    const sources = await load(variables);
    assert.throws(() => parseConfig(sources), { name: "ConfigError", message: mistake });
  });
}
