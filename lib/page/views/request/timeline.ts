import { isRunning, type SeenRequest, type SeenStep } from "../../../observability/traffic/seen_request.ts";
import { formatDuration, formatExact, formatOffset } from "../../elements/format.ts";
import { type Html, type HtmlValue, markup } from "../../elements/html.ts";
import { timeTaken } from "../../elements/request_state.ts";
import { state, unknown } from "../../elements/words.ts";
import { toOutcomeWords } from "../servers/outcome_words.ts";

/** Renders what happened to a request, step by step; the bars repeat the columns. */
export function renderTimeline(seen: SeenRequest, now: number): Html {
  const total = Math.max(1, timeTaken(seen, now));
  const { steps, moreSteps } = seen;
  const turns = new Map(steps.filter(({ kind }) => kind === "turn").map((step, at) => [step, at + 1]));
  const rows = steps.map((step) => renderStep(step, { total, seen, turn: turns.get(step) ?? 0 }));
  return markup`<div class="panel scroll"><table class="timeline" aria-labelledby="timeline">
<thead><tr>
<th scope="col">Step</th>
<th scope="col" class="over-l">What happened</th>
<th scope="col" class="num">From</th>
<th scope="col" class="num">Took</th>
<th scope="col" class="lane over-m"><span class="sr">Chart</span>${renderAxis(total)}</th>
</tr></thead>
<tbody>${rows}${
    moreSteps > 0 &&
    markup`<tr><td colspan="5" class="muted">and ${formatExact(moreSteps)} more steps</td></tr>`
  }</tbody>
</table></div>`;
}

interface Scale {
  total: number;
  seen: SeenRequest;
  /** Number of the turn. */
  turn: number;
}

function renderStep(step: SeenStep, { total, seen, turn }: Scale): Html {
  const took = step.took ?? (hasDuration(step) && isRunning(seen) ? total - step.from : undefined);
  const what = describe(step);
  return markup`<tr><th scope="row" class="step">${
    renderName(step, turn)
  }<span class="sub under-l">${what}</span></th><td class="over-l">${what}</td><td class="num fit">${
    formatOffset(step.from)
  }</td><td class="num fit">${
    took === undefined ? unknown() : formatDuration(took)
  }</td><td class="lane over-m">${renderBar(step, took ?? 0, total)}</td></tr>`;
}

function hasDuration({ kind }: SeenStep): boolean {
  return kind === "turn" || kind === "tool";
}

function isFailed({ kind, outcome }: SeenStep): boolean {
  return outcome !== undefined &&
    (kind === "turn" ? outcome === "failed" : kind === "tool" && outcome !== "ok");
}

function renderName(step: SeenStep, turn: number): Html {
  switch (step.kind) {
    case "admission":
      return step.outcome === undefined ? state("off", "Admission") : state("done", "Admitted");
    case "routed":
      return state("done", "Routed");
    case "fallback":
      return state("warn", "Fallback", { shape: "left" });
    case "retry":
      return state("warn", "Retry", { shape: "waiting" });
    case "remedy":
      return state("warn", "Repair", { shape: "tool" });
    case "tool":
      return isFailed(step)
        ? state("bad", `Tool ${step.name}`)
        : state(step.outcome === undefined ? "run" : "done", `Tool ${step.name}`, { shape: "tool" });
    case "turn":
      if (isFailed(step)) return state("bad", `Turn ${turn} failed`);
      return step.outcome === undefined
        ? state("run", `Turn ${turn}`, { spins: true })
        : state("done", `Turn ${turn}`);
  }
}

function describe(
  { kind, name, outcome, status, errorType, inputTokens, outputTokens, stopReason }: SeenStep,
): HtmlValue {
  switch (kind) {
    case "admission":
      return markup`key <code>${name}</code>; limits, body and model${
        outcome === undefined && ": not passed"
      }`;
    case "routed":
      return markup`to <code>${name}</code>`;
    case "fallback":
      return markup`to the next model, <code>${name}</code>`;
    case "retry":
      return markup`${name}: ${
        status === undefined ? "no response" : markup`<code>${status}</code>`
      }; the same request was sent once more after the wait`;
    case "remedy":
      return markup`sent once more with the change <code>${name}</code>, which the refusal asked for`;
    case "tool":
      return outcome === undefined ? "runs" : toOutcomeWords(outcome);
    case "turn":
      if (outcome === "failed") return markup`${name}: <code>${status ?? ""}</code> ${errorType ?? "error"}`;
      if (outcome === undefined) return markup`${name}`;
      return markup`${name}${inputTokens !== undefined && `: ${formatExact(inputTokens)} tokens in`}${
        outputTokens !== undefined && `, ${formatExact(outputTokens)} out`
      }${stopReason !== undefined && markup`, <code>${stopReason}</code>`}`;
  }
}

function renderAxis(total: number): Html {
  return markup`<svg class="lane-chart" aria-hidden="true"><text x="0%" y="12">0 s</text><text x="50%" y="12" text-anchor="middle">${
    formatDuration(total / 2)
  }</text><text x="100%" y="12" text-anchor="end">${formatDuration(total)}</text></svg>`;
}

const TICKS = [0, 25, 50, 75, 100].map((at) =>
  markup`<line class="tick" x1="${at}%" x2="${at}%" y1="-14" y2="30" />`
);

function renderBar(step: SeenStep, took: number, total: number): Html {
  const from = Math.min(step.from / total * 100, 99.5);
  const width = Math.min(Math.max(took / total * 100, 0.5), 100 - from);
  const color = isFailed(step) ? "fill-bad" : step.kind === "turn" ? "fill-accent" : "fill-muted";
  return markup`<svg class="lane-chart" aria-hidden="true">${TICKS}<rect class="${color}" x="${
    from.toFixed(2)
  }%" y="3" width="${width.toFixed(2)}%" height="10" rx="1.5" /></svg>`;
}
