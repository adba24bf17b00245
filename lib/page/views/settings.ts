import { DEFAULT_ORIGIN, type SettingText } from "../../config/describe.ts";
import { VERSION } from "../../base/version.ts";
import { countUnhandledErrors } from "../../observability/counters.ts";
import { describeRuntime } from "../../runtime/process.ts";
import { formatDuration, formatNumber } from "../elements/format.ts";
import { attributes, type Html, join, markup } from "../elements/html.ts";
import { command, count, facts, time } from "../elements/words.ts";
import { type Notice, partId, type View, type ViewCall } from "../view.ts";
import { section } from "./section.ts";
import { groupSettings } from "./settings/groups.ts";

/** The settings in force, masked, and where each comes from. */
export const settings: View = {
  name: "settings",
  label: "Settings",
  shortcut: ",",
  render(call) {
    const { gateway: { settings: { all, since } }, query, now } = call;
    const changed = all.filter(({ origin }) => origin !== DEFAULT_ORIGIN);
    const onlyChanged = query.has("changed");
    return {
      title: `Settings: ${changed.length} changed`,
      sentence: markup`<strong>In force since ${time(since, "short", now)};</strong> ${
        changed.length === 0 ? "all are defaults." : `${formatNumber(changed.length, "setting")} given.`
      } To change one, set it at its source and restart the gateway; a configuration file is read again when it changes. Secrets are never shown, not even in part.`,
      notices: toNotices(call),
      tools: chooser(onlyChanged),
      parts: [{
        id: "settings",
        html: markup`<div id="${partId("settings")}" class="columns wide-left"><div class="stack">${
          onlyChanged && changed.length === 0
            ? markup`<div class="panel empty"><h3>No setting is changed</h3><p>All have their defaults.</p><a class="button" href="settings">Show all</a></div>`
            : groupSettings(onlyChanged ? changed : all).map(({ name, settings }) =>
              section(toId(name), name, { body: settingTable(toId(name), settings) })
            )
        }</div>${aside(call)}</div>`,
      }],
    };
  },
};

function chooser(onlyChanged: boolean): Html {
  return markup`<div class="actions screen"><nav class="segment" aria-label="Which settings"><a href="settings"${
    attributes({ "aria-current": !onlyChanged && "true" })
  }>All</a><a href="settings?changed"${
    attributes({ "aria-current": onlyChanged && "true" })
  }>Changed only</a></nav></div>`;
}

function settingTable(id: string, settings: readonly SettingText[]): Html {
  return markup`<div class="panel scroll"><table class="settings" aria-labelledby="${id}"><thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col" class="fit over-m">From</th></tr></thead><tbody>${
    settings.map(settingRow)
  }</tbody></table></div>`;
}

function settingRow({ name, value, isUnset, isSecret, origin, fallback }: SettingText): Html {
  const shown = isUnset
    ? markup`<span class="muted">${value}</span>`
    : isSecret
    ? markup`<span class="mono" aria-hidden="true">••••••••</span> <span class="muted">${value}</span>`
    : markup`${value}${unitOf(name)}`;
  const other = fallback !== undefined && fallback !== value && !isSecret &&
    markup`<span class="sub">default ${fallback}${unitOf(name)}</span>`;
  const from = origin === DEFAULT_ORIGIN ? markup`<span class="muted">${origin}</span>` : markup`${origin}`;
  return markup`<tr><th scope="row"><code>${
    join(name.split("_"), markup`_<wbr>`)
  }</code><span class="sub narrow">${origin}</span></th><td class="value">${shown}${other}</td><td class="over-m">${from}</td></tr>`;
}

function unitOf(name: string): string {
  if (/^COOLDOWN|_(TIMEOUT|INTERVAL)$/.test(name)) return " s";
  if (/^(BODY_MEMORY|DATA_QUOTA)$/.test(name)) return " MiB";
  return name === "LOG_RETENTION" ? " days" : "";
}

function toId(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}

function toNotices({ gateway: { config, settings: { waiting } } }: ViewCall): Notice[] {
  return [
    ...(waiting.length === 0 ? [] : [{
      kind: "warn" as const,
      word: "Restart needed",
      text: markup`Changed, and not in force before a restart: ${
        join(waiting.map((name) => markup`<code>${name}</code>`), ", ")
      }.`,
    }]),
    ...(config.recordDir === undefined ? [] : [{
      kind: "warn" as const,
      word: "Recording is on",
      text:
        markup`Each message is stored in <code>RECORD_DIR</code> with its prompt and answer; credentials are removed.`,
      link: { href: "#logs", text: "See Logs" },
    }]),
    ...(config.logBodies !== "on" ? [] : [{
      kind: "warn" as const,
      word: "Bodies are logged",
      text: markup`The prompt and answer of each message are stored in <code>LOG_DIR</code>.`,
      link: { href: "#logs", text: "See Logs" },
    }]),
    ...(config.openAccess !== "on" ? [] : [{
      kind: "warn" as const,
      word: "Open access",
      text: markup`<code>OPEN_ACCESS</code> lets any client use the gateway and its upstream keys.`,
      link: { href: "#access", text: "See Access" },
    }]),
  ];
}

function aside({ gateway, host, now }: ViewCall): Html {
  const { counters } = gateway.operations;
  const token = gateway.access.apiKeys.required ? "<a key>" : "<your OpenRouter key>";
  const lines = [
    `export ANTHROPIC_BASE_URL=http://${host}`,
    `export ANTHROPIC_AUTH_TOKEN='${token}'`,
    "claude",
  ];
  return markup`<div class="stack">${
    section("claude-code", "For Claude Code", {
      body:
        markup`<div class="panel pad stack tight"><p class="muted">For a client that reaches the gateway as you do.</p>${
          command(lines.join("\n"), "the lines")
        }</div>`,
    })
  }${
    section("process", "Process", {
      body: markup`<div class="panel pad">${
        facts([
          { name: "Version", value: VERSION },
          { name: "Runtime", value: Object.values(describeRuntime()).join(" ") },
          { name: "Up", value: formatDuration(now - counters.startedAt) },
          { name: "Requests", value: count(counters.requests) },
          { name: "Open", value: count(counters.open) },
          { name: "Unhandled errors", value: countUnhandledErrors() },
        ])
      }</div>`,
    })
  }</div>`;
}
