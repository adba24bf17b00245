import type { ServerStatus } from "../../../../tools/mcp/managed/managed_servers.ts";
import type { McpServer } from "../../../config/mcp/mcp_config.ts";
import type { ServerAction } from "../../source.ts";
import { formatNumber, formatPercent } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { count, state, time, unknown } from "../../elements/words.ts";
import { actionFields, type ViewCall } from "../../view.ts";

/** A managed MCP server, and the calls of its tools. */
export interface ServerFacts {
  server: McpServer;
  /** Undefined if it was never loaded: it is stopped. */
  status: ServerStatus | undefined;
  calls: { calls: number; failed: number };
}

/** Returns why a server needs a person; undefined if it does not. */
export function troubleOf({ status }: ServerFacts): string | undefined {
  if (status?.state.name === "failed") return "has failed";
  if (status?.state.name === "restarting") return "has ended and starts again";
  if (status?.health === "unhealthy") return "does not answer";
  return undefined;
}

/** Renders the table of servers, with the actions on each. */
export function serverTable(servers: readonly ServerFacts[], call: ViewCall): Html {
  const rows = servers.map((facts) => serverRow(facts, call));
  return markup`<div class="panel scroll"><table aria-labelledby="servers"><thead><tr><th scope="col">Server</th><th scope="col">State</th><th scope="col" class="num over-m">Calls</th><th scope="col" class="num over-m">Failed</th><th scope="col" class="over-l">Last error</th><th scope="col" class="over-m">Actions</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function serverRow(facts: ServerFacts, call: ViewCall): Html {
  const { server: { config: { name } }, calls: { calls, failed } } = facts;
  const error = lastError(facts);
  const actions = actionsOf(facts).map((action) => actionForm(action, name, call));
  return markup`<tr><th scope="row"><a href="${`tools?server=${
    encodeURIComponent(name)
  }`}">${name}</a><span class="sub">${describe(facts.server)}</span></th><td>${stateCell(facts, call.now)}${
    error !== undefined && markup`<span class="sub narrow">${error}</span>`
  }<div class="actions narrow">${actions}</div></td><td class="num fit over-m">${
    count(calls)
  }</td><td class="num fit over-m">${
    calls === 0 ? unknown() : formatPercent(failed / calls)
  }</td><td class="over-l">${
    error === undefined ? unknown() : markup`<code>${error}</code>`
  }</td><td class="over-m"><div class="actions">${actions}</div></td></tr>`;
}

/** Kind and address or program of a server, without secrets. */
function describe({ config, shown }: McpServer): string {
  const place = config.type === "stdio" ? shown.command : shown.url;
  return `${config.type}, ${typeof place === "string" ? place : "?"}`;
}

function stateCell({ status }: ServerFacts, now: number): Html {
  const restarts = status === undefined || status.restarts === 0
    ? ""
    : `, ${formatNumber(status.restarts, "restart")}`;
  switch (status?.state.name) {
    case undefined:
    case "stopped":
      return markup`${state("off", "Stopped")}<span class="sub">starts with its first use</span>`;
    case "starting":
      return state("run", "Starting", { spins: true });
    case "stopping":
      return state("run", "Stopping", { spins: true });
    case "running": {
      const since = markup`<span class="sub">since ${
        time(status.state.since, "short", now)
      }${restarts}</span>`;
      return status.health === "unhealthy"
        ? markup`${state("warn", "Does not answer")}${since}`
        : markup`${state("ok", "Running")}${since}`;
    }
    case "restarting":
      return markup`${state("warn", "Starts again")}<span class="sub">${
        formatNumber(status.restarts, "restart")
      }</span>`;
    case "failed":
      return markup`${state("bad", "Failed")}<span class="sub">${
        time(status.state.at, "short", now)
      }${restarts}; not started again by itself</span>`;
  }
}

/** Returns the reason of the state; else the last line of the log of a server that needs a person. */
function lastError(facts: ServerFacts): string | undefined {
  const { status } = facts;
  if (status !== undefined && "reason" in status.state) return status.state.reason;
  return troubleOf(facts) === undefined ? undefined : status?.log.at(-1);
}

function actionsOf({ status }: ServerFacts): ServerAction[] {
  switch (status?.state.name) {
    case undefined:
    case "stopped":
    case "failed":
      return ["start"];
    case "starting":
    case "stopping":
      return [];
    case "running":
    case "restarting":
      return ["restart", "stop"];
  }
}

const WORDS: Record<ServerAction, string> = { start: "Start", stop: "Stop", restart: "Restart" };

function actionForm(action: ServerAction, name: string, call: ViewCall): Html {
  return markup`<form method="post" action="tools">${
    actionFields(call, action)
  }<input type="hidden" name="server" value="${name}"><button type="submit">${
    WORDS[action]
  }<span class="sr"> ${name}</span></button></form>`;
}

/** Renders the log of a server: what it wrote to stderr. */
export function serverLog({ status }: ServerFacts): Html {
  const lines = status?.log ?? [];
  return lines.length === 0
    ? markup`<p class="panel pad">It has written nothing to stderr.</p>`
    : markup`<pre class="panel log" tabindex="0" aria-labelledby="log">${lines.join("\n")}</pre>`;
}
