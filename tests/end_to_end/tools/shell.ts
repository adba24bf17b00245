import { call, reply } from "../../kit/model/turns.ts";
import { toText, TRANSLATED } from "./model.ts";
import type { ExpectedCall } from "./run_calls.ts";
import { createToolGateway, WORKSPACE } from "./tool_gateway.ts";
import { dig, objects } from "../../kit/json.ts";

/** Returns the reason why the API cannot run commands here; undefined if it can. */
export async function whyNoSandbox(): Promise<string | undefined> {
  const gateway = createToolGateway({ TOOLS: "shell" });
  try {
    gateway.model.script(
      reply({ tools: [call("call_1", "Bash", { command: "true" })] }),
      reply({ text: ["Done."] }),
    );
    const { body } = await gateway.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
    const result = objects(body.content).find(({ type }) => type === "mcp_tool_result");
    if (dig(result, "is_error") === false) return undefined;
    const why = toText(dig(result, "content"));
    // The tests report other failures.
    return /^Cannot run commands: .*sandbox/.test(why) ? why : undefined;
  } finally {
    gateway.remove();
  }
}

/** The commands of a test. */
export const COMMANDS: readonly ExpectedCall[] = [
  {
    tool: "Bash",
    input: { command: "echo zum zum > hum.txt && tr a-z A-Z < hum.txt", description: "Hum" },
    matches: /ZUM ZUM/,
  },
];

/** Commands that must fail. */
export const FAILING_COMMANDS: readonly ExpectedCall[] = [
  {
    tool: "Bash",
    input: { command: "cat /etc/shadow; ls /root; exit 3" },
    matches: /^Exit code 3(?![^]*root:)/,
    fails: true,
  },
];
