import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatExact, formatNumber } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";

/** Words for parts of a request, by the pattern of their path. The first that fits is used. */
const PARTS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/^top_k$/, "The sampling parameter top_k"],
  [/^(?:temperature|top_p|stop_sequences)/, "A sampling parameter"],
  [/^max_tokens$/, "The maximum length of the answer"],
  [/thinking\.budget_tokens$/, "The budget for thinking"],
  [/^thinking/, "The setting of thinking"],
  [/effort$/, "The effort"],
  [/^output_config|^output_format/, "The format of the answer"],
  [/^tool_choice/, "The choice of tools"],
  [/^tools\.\d+\.(?:input_schema|schema)/, "The schema of a tool's input"],
  [/^tools\.\d+\.strict$/, "Strict checking of a tool's input"],
  [/^tools\./, "A tool"],
  [/cache_control/, "A mark for the upstream's prompt cache"],
  [/citations/, "Citations"],
  [/^system/, "A part of the system prompt"],
  [/^messages\.\d+\.role$/, "The role of a message"],
  [/^messages\.\d+\.content\.\d+.*input/, "The input of a tool call in the history"],
  [/^messages\.\d+\.content/, "A block of a message"],
  [/^messages\./, "A message"],
  [/^metadata/, "Metadata"],
  [/^service_tier$/, "The service tier"],
  [/^safeguards/, "The safeguards"],
  [/^header\./, "A header of Anthropic's API"],
  [/^answer\.stop_reason$/, "The reason for the answer's end"],
  [/^(?:answer|content)\b/, "A part of the answer"],
  [/^betas?\b/, "A beta feature"],
];

/** Words for what became of a part. Source: docs/fidelity.md */
const ACTIONS: Readonly<Record<string, string>> = {
  dropped: "was left out: the upstream has no equivalent.",
  approximated: "was replaced by the nearest that the upstream has.",
  renamed: "was sent under another name.",
  repaired: "was corrected, because the upstream would have refused it.",
  hoisted: "was moved to another place of the request.",
  invalid: "is not valid under the client's schema.",
};

/** Renders each loss in words, with its path. */
export function renderLosses({ losses, moreLosses, turns }: SeenRequest): Html {
  if (losses.length === 0) {
    return markup`<p class="panel pad muted">${
      turns === 0 ? "Nothing was sent to an upstream." : "None: the whole request was sent as written."
    }</p>`;
  }
  return markup`<div class="panel scroll"><table aria-labelledby="losses">
<thead><tr><th scope="col">What</th><th scope="col" class="over-m">Path</th></tr></thead>
<tbody>${
    losses.map((entry) => {
      const cut = entry.lastIndexOf(" ");
      const path = entry.slice(0, cut);
      return markup`<tr><th scope="row">${
        toWords(path, entry.slice(cut + 1))
      }<span class="sub narrow"><code>${path}</code></span></th><td class="over-m"><code>${path}</code></td></tr>`;
    })
  }</tbody>
</table></div>${
    moreLosses > 0 &&
    markup`<p class="hint">${formatNumber(moreLosses, "more loss", "more losses")}; ${
      formatExact(losses.length)
    } are kept.</p>`
  }`;
}

/** Returns a loss in words. */
export function toWords(path: string, action: string): string {
  const part = PARTS.find(([pattern]) => pattern.test(path))?.[1] ?? "A field";
  return `${part} ${Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : action}`;
}
