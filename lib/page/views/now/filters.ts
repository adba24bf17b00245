import { isRunning, type SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { attributes, type Html, markup } from "../../elements/html.ts";

/** What the list of requests is limited to; undefined is everything. */
export interface Filter {
  model: string | undefined;
  key: string | undefined;
  status: string | undefined;
  session: string | undefined;
  /** Session or id of a request, or the beginning of one. */
  id: string | undefined;
  /** Requests that began before this time, in milliseconds since 1970. */
  before: number | undefined;
}

const STATUSES = ["Running", "Finished", "Failed", "Refused", "Cancelled"];

/** Reads the filter from the query of the page. */
export function readFilter(query: URLSearchParams): Filter {
  const read = (name: string) => query.get(name)?.trim().slice(0, 200) || undefined;
  const before = Number(query.get("before") ?? "");
  return {
    model: read("model"),
    key: read("key"),
    status: read("status"),
    session: read("session"),
    id: read("id"),
    before: before > 0 ? before : undefined,
  };
}

/** True if the list is limited, beside by time. */
export function isActive({ before: _, ...filter }: Filter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** True if a request belongs to the list. */
export function matches(seen: SeenRequest, { model, key, status, session, id, before }: Filter): boolean {
  const state = isRunning(seen) ? "running" : seen.state;
  return (model === undefined || seen.model === model || seen.answeredBy === model) &&
    (key === undefined || seen.client === key) &&
    (status === undefined || state === status.toLowerCase()) &&
    (session === undefined || seen.session === session) &&
    (id === undefined ||
      [seen.session, seen.id, seen.correlationId].some((value) => value?.startsWith(id))) &&
    (before === undefined || seen.startedAt < before);
}

/** Returns the address of Now with some fields of a filter. */
export function toAddress(filter: Partial<Filter>): string {
  const fields = Object.entries(filter).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]]
  );
  return fields.length === 0 ? "." : `.?${new URLSearchParams(fields)}`;
}

/** Renders the form of the filter, with the models and keys of the requests that are kept. */
export function renderFilters(filter: Filter, all: readonly SeenRequest[]): Html {
  const models = unique(all.flatMap(({ model, answeredBy }) => [model, answeredBy]));
  const keys = unique(all.map(({ client }) => client));
  return markup`<form class="filters" method="get" action="." data-apply role="search" aria-label="Requests">
${select("model", "Model", "All models", models, filter.model)}
${select("key", "Key", "All keys", keys, filter.key)}
${select("status", "Status", "All", STATUSES, filter.status)}
<label class="long">Session or request id<input type="search" name="id" autocomplete="off" spellcheck="false" value="${
    filter.id ?? filter.session ?? ""
  }"></label>
<button type="submit">Filter</button>
${isActive(filter) && markup`<a class="button" href=".">Show all</a>`}
<span class="push actions"><button type="button" id="pause" data-script hidden aria-pressed="false">Pause</button></span>
</form>`;
}

function select(
  name: string,
  label: string,
  all: string,
  values: readonly string[],
  chosen: string | undefined,
): Html {
  // A value that no request has any more is still shown as chosen.
  const shown = chosen === undefined || values.includes(chosen) ? values : [...values, chosen];
  const first = name === "model";
  return markup`<label>${label}<select name="${name}"${
    attributes({ "data-filter": first })
  }><option value="">${all}</option>${
    shown.map((value) => markup`<option${attributes({ selected: value === chosen })}>${value}</option>`)
  }</select></label>`;
}

/** Maximum number of choices: a client chooses the names of models. */
const MAX_CHOICES = 100;

function unique(values: readonly (string | undefined)[]): string[] {
  const found = new Set<string>();
  for (const value of values) if (value !== undefined) found.add(value);
  return [...found].sort().slice(0, MAX_CHOICES);
}
