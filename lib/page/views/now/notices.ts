import type { PageSource } from "../../source.ts";
import { countUnhandledErrors } from "../../../observability/counters.ts";
import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatNumber } from "../../elements/format.ts";
import { markup } from "../../elements/html.ts";
import { time } from "../../elements/words.ts";
import type { Notice } from "../../view.ts";

/** Requests to a model that are looked at, and failures among them that need a person. */
const LAST = 20;
const MANY = 3;
const HOUR_MS = 3_600_000;

/** Returns what needs a person now. Each notice disappears with its cause. */
export function toNotices(gateway: PageSource, seen: readonly SeenRequest[], now: number): Notice[] {
  return [
    ...toDefects(),
    ...toFailingModels(seen, now),
    ...toSpentBudgets(gateway, now),
    ...toFailingFolders(gateway),
  ];
}

function toDefects(): Notice[] {
  const count = countUnhandledErrors();
  if (count === 0) return [];
  return [{
    kind: "bad",
    word: "Unhandled error",
    text: markup`${
      formatNumber(count, "unhandled error")
    } since the start. Each is a defect of the gateway; the log has its stack.`,
  }];
}

function toFailingModels(seen: readonly SeenRequest[], now: number): Notice[] {
  const byModel = new Map<string, SeenRequest[]>();
  for (const request of seen) {
    if (
      request.endedAt === undefined || request.answeredBy === undefined || request.endedAt < now - HOUR_MS
    ) continue;
    const last = byModel.get(request.answeredBy) ?? [];
    byModel.set(request.answeredBy, last);
    if (last.length < LAST) last.push(request);
  }
  return [...byModel].flatMap(([model, last]): Notice[] => {
    const failed = last.filter(({ failure }) => failure === "upstream");
    const [newest] = failed;
    if (failed.length < MANY || newest === undefined) return [];
    return [{
      kind: "warn",
      word: "Upstream fails",
      text: markup`<strong>${model}</strong> failed with ${newest.status ?? ""} <q>${
        newest.errorType ?? "error"
      }</q> in ${failed.length} of its last ${last.length} requests.`,
      link: { href: `errors?group=${encodeURIComponent(newest.errorGroup ?? "")}`, text: "See the errors" },
    }];
  });
}

function toSpentBudgets({ operations }: PageSource, now: number): Notice[] {
  return operations.traffic.errors.list()
    .filter(({ failure, type, lastAt }) =>
      failure === "limit" && type === "billing_error" && lastAt > now - HOUR_MS
    )
    .map(({ clients, lastAt, status }) => ({
      kind: "bad" as const,
      word: "Budget spent",
      text: markup`Requests of <strong>${
        clients.join(", ")
      }</strong> are refused with ${status}, the last at ${time(lastAt, "minute")}.`,
      link: { href: "spend#limits", text: "See the limits" },
    }));
}

function toFailingFolders({ operations: { errors, bodies, recordings } }: PageSource): Notice[] {
  const folders: [string, string | undefined][] = [
    ["LOG_DIR", errors.failure ?? bodies?.failure],
    ["RECORD_DIR", recordings?.failure],
  ];
  return folders.flatMap(([setting, failure]): Notice[] =>
    failure === undefined ? [] : [{
      kind: "warn",
      word: "Not stored",
      text: markup`The folder of <code>${setting}</code>: ${failure}.`,
    }]
  );
}
