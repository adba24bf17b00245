import type { Alias } from "../../../config/aliases.ts";
import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import type { TargetReport } from "../../../upstreams/targets/target_health.ts";
import type { RouteTarget } from "../../../upstreams/upstream.ts";
import { type Html, join, markup } from "../../elements/html.ts";
import { count, modelName, tag } from "../../elements/words.ts";

/** Settings of the aliases that have one of their own. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ["big", "ANTHROPIC_MODEL"],
  ["small", "ANTHROPIC_SMALL_FAST_MODEL"],
]);

/** An alias and its targets: those of a group share its requests, and the groups are tried in order. */
export interface AliasFacts {
  name: string;
  groups: readonly (readonly { target: RouteTarget; health: TargetReport }[])[];
}

/** Renders the table of aliases. */
export function aliasTable(
  aliases: readonly AliasFacts[],
  { modelMap, seen }: { modelMap: ReadonlyMap<string, Alias>; seen: readonly SeenRequest[] },
): Html {
  const rows = aliases.map(({ name, groups }) => {
    const chain = groups.map((group) =>
      markup`<span>${join(group.map((one) => renderTarget(one, group.length)), " or ")}</span>`
    );
    const from = modelMap.has(name) ? "MODEL_MAP" : SETTINGS.get(name) ?? "MODEL_MAP";
    const requests = seen.filter(({ model }) => model === name).length;
    return markup`<tr><th scope="row" class="fit"><a href="${`.?model=${
      encodeURIComponent(name)
    }`}">${name}</a></th><td><div class="chain">${
      join(chain, markup` <span class="muted" aria-hidden="true">→</span><span class="sr">then</span> `)
    }</div></td><td class="fit over-m"><code>${from}</code></td><td class="num fit">${
      count(requests)
    }</td></tr>`;
  });
  return markup`<div class="panel scroll"><table aria-labelledby="aliases"><thead><tr><th scope="col">Alias</th><th scope="col">Model, then fallbacks</th><th scope="col" class="over-m">From</th><th scope="col" class="num">Requests</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Renders a target with its weight, if it shares requests, and with its pause after failures. */
function renderTarget({ target, health }: AliasFacts["groups"][number][number], shares: number): Html {
  const weight = shares > 1 && markup` ${tag(`weight ${target.weight}`)}`;
  return markup`${modelName(`${target.upstream.name}/${target.model}`)}${weight}${renderPause(health)}`;
}

function renderPause({ state, retry_in_s: seconds, last_status: status }: TargetReport): Html | undefined {
  const after = status === undefined ? "" : ` after ${status}`;
  switch (state) {
    case "healthy":
      return undefined;
    case "cooling":
      return markup` ${tag(`skipped for ${seconds ?? 0} s${after}`, "warn")}`;
    case "half_open":
      return markup` ${tag(`next request tries it${after}`)}`;
  }
}
