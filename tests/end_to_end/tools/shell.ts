import { call, say } from "../../clients/turns.ts";
import { dig, objects } from "../../kit/json.ts";
import { toText, TRANSLATED } from "./model.ts";
import type { Play } from "./play.ts";
import { openDoor, WORKSPACE } from "./stage.ts";

/** Why no command can be run here by the API; nothing where one can. */
export async function whyNoCommand(): Promise<string | undefined> {
  const door = openDoor({ TOOLS: "shell" });
  try {
    door.model.script(
      say({ tools: [call("call_1", "Bash", { command: "true" })] }),
      say({ text: ["Done."] }),
    );
    const { body } = await door.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
    const result = objects(body.content).find(({ type }) => type === "mcp_tool_result");
    if (dig(result, "is_error") === false) return undefined;
    const why = toText(dig(result, "content"));
    // Whatever else is wrong is for the tests to find.
    return /^Cannot run commands: .*sandbox/.test(why) ? why : undefined;
  } finally {
    door.remove();
  }
}

/** The commands of a test. */
export const COMMANDS: readonly Play[] = [
  {
    tool: "Bash",
    input: { command: "echo zum zum > hum.txt && tr a-z A-Z < hum.txt", description: "Hum" },
    says: /ZUM ZUM/,
  },
];

/** Commands that must come to nothing. */
export const VAIN: readonly Play[] = [
  {
    tool: "Bash",
    input: { command: "cat /etc/shadow; ls /root; exit 3" },
    says: /^Exit code 3(?![^]*root:)/,
    fails: true,
  },
];
