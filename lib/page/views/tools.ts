import { ApiError } from "../../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../elements/format.ts";
import { type Html, join, markup } from "../elements/html.ts";
import { command, state } from "../elements/words.ts";
import type { ServerAction } from "../source.ts";
import { type Notice, type Part, part, type View, type ViewCall } from "../view.ts";
import { section } from "./section.ts";
import { type ServerFacts, serverLog, serverTable, troubleOf } from "./servers/server_rows.ts";
import { callsOf, countToolCalls, type ToolCalls, toolTable } from "./servers/tool_calls.ts";

/** The tools that the gateway runs, and the MCP servers that it manages. */
export const tools: View = {
  name: "tools",
  label: "Tools",
  shortcut: "t",
  async render(call) {
    const { gateway, query, now } = call;
    const calls = countToolCalls(gateway.operations.traffic.newest(now));
    const servers = await readServers(call, calls);
    const metrics = (await gateway.loadCallRunner()).metrics();
    const shown = servers.find(({ server }) => server.config.name === query.get("server")) ??
      servers.find((facts) => troubleOf(facts) !== undefined);
    const troubled = servers.filter((facts) => troubleOf(facts) !== undefined);
    return {
      title: troubled.length > 0
        ? `Tools: ${formatNumber(troubled.length, "server needs", "servers need")} attention`
        : `Tools: ${formatNumber(metrics.total_executions, "call")}`,
      heading: markup`Tools and servers`,
      sentence: toSentence(call, { servers, troubled, ...metrics }),
      notices: refusedNotice(call, servers),
      parts: [
        ...(servers.length > 0 ? [serverPart(servers, call)] : []),
        ...(shown === undefined ? [] : [logPart(shown)]),
        ...(calls.length > 0
          ? [part(
            "calls",
            section("calls", "Tool calls", {
              note: "Of the messages of 24 hours; what MCP clients call is in /tool-metrics",
              body: toolTable(calls),
            }),
          )]
          : []),
        part("setup", section("setup", "What is enabled", { body: setup(call) })),
      ],
      live: 10,
    };
  },
  actions: {
    start: (call, form) => operate(call, form, "start"),
    stop: (call, form) => operate(call, form, "stop"),
    restart: (call, form) => operate(call, form, "restart"),
  },
};

async function readServers({ gateway }: ViewCall, calls: readonly ToolCalls[]): Promise<ServerFacts[]> {
  const control = await gateway.loadManagedServers?.();
  return gateway.mcpServers.map((server) => ({
    server,
    status: control?.status(server.config.name),
    calls: callsOf(server.config.name, calls),
  }));
}

/** Runs an action and returns the address of the server's log; if the action failed, with the action. */
async function operate(
  { gateway, operateServer }: ViewCall,
  form: URLSearchParams,
  action: ServerAction,
): Promise<string> {
  const name = form.get("server") ?? "";
  const address = `tools?server=${encodeURIComponent(name)}`;
  try {
    await operateServer(gateway, name, action);
    return address;
  } catch (error) {
    // An unknown name stays an error of the form. What else failed is shown with the state of the server.
    if (!(error instanceof ApiError) || error.status === 404) throw error;
    return `${address}&failed=${action}`;
  }
}

/** Returns a notice of the action that has failed, as long as its server is not in the state that was wanted. */
function refusedNotice({ query }: ViewCall, servers: readonly ServerFacts[]): Notice[] {
  const facts = servers.find(({ server }) => server.config.name === query.get("server"));
  const action = ["start", "stop", "restart"].find((name) => name === query.get("failed"));
  if (facts === undefined || action === undefined) return [];
  const { server: { config: { name } }, status } = facts;
  const reason = status !== undefined && "reason" in status.state
    ? `: ${status.state.reason}`
    : ` is ${status?.state.name ?? "stopped"}`;
  return [{
    kind: "bad",
    word: `Cannot ${action}`,
    text: markup`${name}${reason}.`,
    link: { href: "#log", text: "See its log" },
  }];
}

function toSentence(
  { gateway: { config } }: ViewCall,
  { servers, troubled, total_executions: total, failed_executions: failed }: {
    servers: readonly ServerFacts[];
    troubled: readonly ServerFacts[];
    total_executions: number;
    failed_executions: number;
  },
): Html {
  const calls = total === 0
    ? "No tool was called since the start."
    : `${formatNumber(total, "tool call")} since the start, ${formatPercent(failed / total)} failed.`;
  if (troubled.length > 0) {
    const details = troubled.slice(0, 3).map((facts) =>
      markup`${facts.server.config.name} ${troubleOf(facts) ?? ""}`
    );
    return markup`<strong>${troubled.length} of ${formatNumber(servers.length, "MCP server")} ${
      troubled.length === 1 ? "needs" : "need"
    } attention:</strong> ${join(details, ", ")}. ${calls}`;
  }
  if (servers.length > 0) {
    const running = servers.filter(({ status }) => status?.state.name === "running").length;
    return markup`<strong>${
      running === 0
        ? "No MCP server runs;"
        : `${formatCount(running)} of ${formatNumber(servers.length, "MCP server")} ${
          running === 1 ? "runs" : "run"
        };`
    }</strong> ${running < servers.length && "a stopped one starts with its first use. "}${calls}`;
  }
  if (config.tools === undefined) {
    return markup`<strong>The gateway runs no tools,</strong> and manages no MCP servers. Clients run their own tools.${
      total > 0 && ` ${calls}`
    }`;
  }
  return markup`<strong>${calls}</strong>`;
}

function serverPart(servers: readonly ServerFacts[], call: ViewCall): Part {
  return part(
    "servers",
    section("servers", "MCP servers", {
      note: "The names lead to the logs",
      body: serverTable(servers, call),
    }),
  );
}

function logPart(facts: ServerFacts): Part {
  return part(
    "log",
    section("log", `Log of ${facts.server.config.name}`, {
      note: "The last lines on stderr, secrets masked",
      body: serverLog(facts),
    }),
  );
}

/** Renders which tools are enabled and how commands run; or what to set. */
function setup({ gateway: { config, mcpServers } }: ViewCall): Html {
  const groups = [...config.tools ?? []];
  const hasShell = groups.some((group) => group === "shell");
  const parts = [
    groups.length === 0
      ? markup`<div class="panel empty"><h3>Let the gateway run tools</h3><p>Any client that asks for them gets tools for files, commands and the web, within one folder. They need client keys.</p>${
        command(
          "TOOLS=files-read,network WORKSPACE_ROOT=/srv/work GATEWAY_API_KEYS=<name>:<key>",
          "the settings",
        )
      }</div>`
      : markup`<p class="panel pad">Groups: ${groups.join(", ")}. Folder: <code>${
        config.workspaceRoot ?? ""
      }</code>.${hasShell && sandbox(config)}</p>`,
    mcpServers.length === 0 &&
    markup`<div class="panel empty"><h3>Manage MCP servers</h3><p>The file has the form of Claude Code's <code>.mcp.json</code>. Servers start with their first use, and are restarted when they end.</p>${
      command("MCP_CONFIG=.mcp.json", "the setting")
    }</div>`,
  ];
  return markup`<div class="stack tight">${parts}</div>`;
}

function sandbox({ shellSandbox, shellNetwork }: ViewCall["gateway"]["config"]): Html {
  const network = shellNetwork === "on" ? "with network" : "without network";
  return shellSandbox === "required"
    ? markup` ${state("ok", "Commands run in a sandbox")} ${network}.`
    : markup` ${state("warn", "Commands run without a sandbox")} <code>SHELL_SANDBOX=${shellSandbox}</code>.`;
}
