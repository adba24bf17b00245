import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flags, readFlags } from "../../lib/cli/flags.ts";

const CASES: [args: string[], expected: Partial<Flags>][] = [
  [[], {}],
  [["--port", "1"], { values: { PORT: "1" } }],
  [["--port=1"], { values: { PORT: "1" } }],
  [["--", "--port", "1"], { values: { PORT: "1" } }],
  [["--port=1", "--port", "2"], { values: { PORT: "2" } }],
  [["--port="], { values: { PORT: "" } }],
  [["--port", "-1"], { values: { PORT: "-1" } }],
  [["--api-key=a=b"], { values: { OPENROUTER_API_KEY: "a=b" } }],
  [["--small-model", "a", "--dialect=openai"], {
    values: { ANTHROPIC_SMALL_FAST_MODEL: "a", UPSTREAM_DIALECT: "openai" },
  }],
  [["--config", "a.json", "--config=b.json"], { configPath: "b.json" }],
  [["--config"], { mistakes: ['Cannot use flag "--config": it needs a value'] }],
  [["--confg=a"], { mistakes: ['Cannot use flag "--confg": unknown flag, the nearest is --config'] }],
  [["--check"], { action: "check" }],
  [["--mcp", "--tools", "files-read"], { service: "mcp", values: { TOOLS: "files-read" } }],
  [["--mcp", "--check"], { action: "check", service: "mcp" }],
  [["--mcp=yes"], { mistakes: ['Cannot use flag "--mcp": it accepts no value'] }],
  [["--version", "--check"], { action: "version" }],
  [["--check", "-h", "--version"], { action: "help" }],
  [["--help", "--port", "1"], { action: "help", values: { PORT: "1" } }],
  [["--port"], { mistakes: ['Cannot use flag "--port": it needs a value'] }],
  [["--port", "--check"], { action: "check", mistakes: ['Cannot use flag "--port": it needs a value'] }],
  [["--port", "-h"], { action: "help", mistakes: ['Cannot use flag "--port": it needs a value'] }],
  [["--check=yes"], { mistakes: ['Cannot use flag "--check": it accepts no value'] }],
  [["4001"], { mistakes: ['Cannot use "4001": neither a flag nor a command, --help lists both'] }],
  [[""], { mistakes: ['Cannot use "": neither a flag nor a command, --help lists both'] }],
  [["--prot", "1"], { mistakes: ['Cannot use flag "--prot": unknown flag, the nearest is --port'] }],
  [["--Port=1"], { mistakes: ['Cannot use flag "--Port": unknown flag, the nearest is --port'] }],
  [["-p", "1", "--host=h"], {
    values: { HOST: "h" },
    mistakes: ['Cannot use flag "-p": unknown flag, --help lists all flags'],
  }],
  [["--foo"], { mistakes: ['Cannot use flag "--foo": unknown flag, --help lists all flags'] }],
  [["--something-else"], {
    mistakes: ['Cannot use flag "--something-else": unknown flag, --help lists all flags'],
  }],
  [["--__proto__=1", "--constructor=2"], {
    mistakes: [
      'Cannot use flag "--__proto__": unknown flag, --help lists all flags',
      'Cannot use flag "--constructor": unknown flag, --help lists all flags',
    ],
  }],
];

for (const [args, expected] of CASES) {
  test(`readFlags() reads ${JSON.stringify(args)}`, () => {
    const defaults = { action: "serve", service: "http", values: {}, mistakes: [] };
    assert.deepEqual(readFlags(args), { ...defaults, ...expected });
  });
}
