import { ApiError } from "../../base/errors.ts";
import { isExpected } from "../../observability/failure_kind.ts";
import type { ErrorGroup } from "../../observability/traffic/error_groups.ts";
import { formatCount, formatNumber } from "../elements/format.ts";
import { type Html, markup } from "../elements/html.ts";
import { type Part, partId, type View, type ViewCall } from "../view.ts";
import { renderDetail } from "./errors/detail.ts";
import { renderGroups, stateWord } from "./errors/groups.ts";
import { countsOf, type Period, readPeriod, renderPeriods, sumOf, toAddress } from "./errors/period.ts";
import { findStored, markGroup } from "./errors/stored.ts";

/** The errors, in groups: whether it is one problem or many, whose fault, and what to do. */
export const errors: View = {
  name: "errors",
  label: "Errors",
  shortcut: "e",
  async render(call) {
    const { gateway, query, now } = call;
    const period = readPeriod(query);
    const groups = gateway.operations.traffic.errors.list();
    const unresolved = gateway.operations.traffic.errors.countUnresolved();
    const chosen = groups.find(({ id }) => id === query.get("group"));
    return {
      title: `Errors: ${unresolved} unresolved`,
      sentence: toSentence(groups, { unresolved, period, now }),
      tools: groups.length === 0 ? undefined : renderPeriods(period),
      parts: groups.length === 0 ? [EMPTY] : [
        renderList(groups, chosen, { period, now }),
        ...(chosen === undefined ? [] : [await renderChosen(call, chosen)]),
      ],
      live: 10,
    };
  },
  actions: {
    resolve: (call) => mark(call, call.now),
    reopen: (call) => mark(call, undefined),
  },
};

function mark(call: ViewCall, at: number | undefined): string {
  const id = call.query.get("group") ?? "";
  if (!markGroup(call, id, at)) {
    throw new ApiError("not_found_error", "Cannot mark the group of errors: it is no longer known");
  }
  return toAddress(id, readPeriod(call.query));
}

function toSentence(
  groups: readonly ErrorGroup[],
  { unresolved, period, now }: { unresolved: number; period: Period; now: number },
): Html {
  if (groups.length === 0) return markup`<strong>No error</strong> is stored.`;
  const count = (group: ErrorGroup) => sumOf(countsOf(group, period, now));
  const sum = (some: readonly ErrorGroup[]) => some.reduce((total, group) => total + count(group), 0);
  const shown = groups.filter((group) => count(group) > 0);
  const [expected, failures] = [
    shown.filter(({ failure }) => isExpected(failure)),
    shown.filter(({ failure }) => !isExpected(failure)),
  ];
  const fresh = failures.filter((group) => ["new", "reopened"].includes(stateWord(group, now))).length;
  const refused = sum(expected);
  return markup`<strong>${formatNumber(sum(failures), "error")} in ${period.words}, in ${
    formatNumber(failures.length, "group")
  }; ${unresolved === 0 ? "none" : formatCount(unresolved)} unresolved.</strong>${
    fresh > 0 && ` ${formatCount(fresh)} new or reopened in the last two hours.`
  }${
    refused > 0 && ` ${formatNumber(refused, "request")} refused by limits, as expected.`
  } Requests that clients cancelled are not counted.`;
}

function renderList(
  groups: readonly ErrorGroup[],
  chosen: ErrorGroup | undefined,
  { period, now }: { period: Period; now: number },
): Part {
  const shown = groups.filter((group) => group === chosen || sumOf(countsOf(group, period, now)) > 0);
  const list = shown.length === 0
    ? markup`<p class="panel pad muted">No error in ${period.words}.</p>`
    : renderGroups(shown, chosen, { period, now });
  return {
    id: "groups",
    html: markup`<section aria-labelledby="groups" id="${
      partId("groups")
    }"><header><h2 id="groups">Groups</h2><p>By type, source and message without names and numbers</p></header>${list}</section>`,
  };
}

async function renderChosen(call: ViewCall, chosen: ErrorGroup): Promise<Part> {
  const stored = await findStored(call.gateway, chosen.requests);
  return {
    id: "group",
    html: markup`<section aria-labelledby="group" id="${partId("group")}" class="stack tight">${
      renderDetail(call, chosen, stored)
    }</section>`,
  };
}

const EMPTY: Part = {
  id: "no-errors",
  html: markup`<section id="${
    partId("no-errors")
  }" aria-labelledby="empty" class="panel empty"><h2 id="empty">Nothing has failed</h2><p>Failed requests appear here in groups, with what to do about them. Those that a limit refuses are marked as expected.</p></section>`,
};
