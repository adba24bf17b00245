import type { PageSource } from "../../source.ts";
import { type Html, markup } from "../../elements/html.ts";
import { command } from "../../elements/words.ts";

/** True if clients must have a key of the gateway, so that no key of theirs can be used at an upstream without one. */
export function lacksKey({ directory, access }: PageSource): boolean {
  const main = [...directory.upstreams.values()][0];
  return access.apiKeys.required && main !== undefined && main.key === undefined;
}

/** Renders what to do before the first request. `base` is the gateway's address. */
export function renderEmpty(gateway: PageSource, base: string): Html {
  const { required } = gateway.access.apiKeys;
  const key = required ? " -H 'x-api-key: <a key>'" : "";
  const token = required ? " ANTHROPIC_AUTH_TOKEN=<a key>" : " ANTHROPIC_AUTH_TOKEN=<your OpenRouter key>";
  return markup`<div class="panel empty">
<h3>Send the first request</h3>
<p>It appears here while it runs. <code>demo/echo</code> is a built-in model: it costs nothing and calls no upstream.</p>
${
    command(`curl ${base}/v1/messages${key} \\
  -H 'content-type: application/json' -d '{
  "model": "demo/echo", "max_tokens": 64,
  "messages": [{ "role": "user", "content": "hello there" }] }'`)
  }
${
    lacksKey(gateway)
      ? markup`<p>No upstream has a key yet: other models fail. Set one and start the gateway again:</p>${
        command("OPENROUTER_API_KEY=sk-or-…", "the setting")
      }`
      : markup`<p>Or start Claude Code:</p>${
        command(`ANTHROPIC_BASE_URL=${base}${token} claude`, "the command for Claude Code")
      }`
  }
</div>`;
}

/** Renders what to do if no request matches the filter. */
export function renderNoMatch(): Html {
  return markup`<div class="panel empty">
<h3>No request matches</h3>
<p>The list has the last 2,000 messages of the last 24 hours, since the start of the gateway.</p>
<a class="button" href=".">Show all</a>
</div>`;
}
