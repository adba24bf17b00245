import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { CLAUDE_CODE, type ClientFolders, clientVariables, NO_CLAUDE_CODE } from "./claude_code.ts";
import { testWithFolders } from "./testbed.ts";
import { greeting, TEXT } from "../kit/scenarios.ts";
import { GATEWAY_KEY, NO_OWN_GATEWAY, setUpTestbed } from "../kit/testbed.ts";
import { NO_TERMINAL, openTerminal } from "../kit/terminal.ts";

const STATUS_LINE = fileURLToPath(new URL("../../../docs/examples/statusline.sh", import.meta.url));

/** Patterns of the terminal after a message, without blanks, in any order: the answer, and the line of the script. */
const SHOWN = new RegExp(
  `^(?=[^]*${TEXT.replace(/\s+/g, "").replace(/\W/g, "\\$&")})` +
    String.raw`[^]*openai/gpt-5·\d[\d.]*k?in,\d+out·\$\d+\.\d\d·\$\d\.\d\dlefttoday`,
);

describe("Claude Code, its status line", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY || NO_TERMINAL }, () => {
  const testbed = setUpTestbed({
    key: GATEWAY_KEY,
    settings: () => Promise.resolve({ LIMITS: JSON.stringify({ each: { usd_day: 5 } }) }),
  });

  testWithFolders(
    "docs/examples/statusline.sh shows the model, tokens, cost and what is left",
    async (folders) => {
      prepare(folders);
      testbed.upstream.script(greeting);
      const terminal = await openTerminal([CLAUDE_CODE, "--model", "openai/gpt-5", "Greet me"], {
        cwd: folders.work,
        env: clientVariables(testbed.url, folders),
      });
      try {
        await terminal.shows(SHOWN);
      } finally {
        await terminal.close();
      }
    },
  );
});

/** Answers the questions to a new user, and sets the status line. */
function prepare({ home, work }: ClientFolders): void {
  const projects = { [work]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } };
  writeFileSync(
    join(home, ".claude.json"),
    JSON.stringify({ hasCompletedOnboarding: true, theme: "dark", projects }),
  );
  mkdirSync(join(home, ".claude"));
  const settings = { statusLine: { type: "command", command: STATUS_LINE } };
  writeFileSync(join(home, ".claude/settings.json"), JSON.stringify(settings));
}
