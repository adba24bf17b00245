/**
 * Views of the operator's page: one file each in `views/`, listed in `views.ts`.
 *
 * A view is a name, a label and a function that renders it: `render(call)` reads what it needs from `call.gateway` and
 * returns a {@linkcode Page}: a title, one sentence that gives the answer in words, notices, and parts. The layout adds
 * the frame. Links between views are relative and flat: `.` is Now, `spend`, `models`, `tools`, `errors`, `settings`,
 * `request?id=…`; all are at the same level, so that the page may be mounted under a prefix.
 *
 * With `live`, the page is rendered again while someone looks at it, and the parts whose markup changed are sent to the
 * browser. Each part's outermost element has the id of `partId(part.id)`; the helper `part()` adds one.
 *
 * A form that changes something is a `POST` to the name of its view, with `actionFields(call, "restart")` among its
 * fields: `<form method="post" action="tools">${actionFields(call, "restart")}…`. The token is checked before
 * `actions.restart` runs; it returns the relative address to go to.
 */

import type { CreateReplayGateway } from "../replay/replay.ts";
import type { PageServer, PageSource } from "./source.ts";
import { type Html, type HtmlValue, markup } from "./elements/html.ts";
import type { StateKind } from "./elements/words.ts";

/** A request for a view. */
export interface ViewCall {
  gateway: PageSource;
  /** The query of the page's address. */
  query: URLSearchParams;
  /** Time of the rendering, in milliseconds since 1970. */
  now: number;
  /** Host and port of the gateway, as the browser addresses it. */
  host: string;
  /** Creates a gateway that translates a recording again. */
  createReplayGateway: CreateReplayGateway;
  operateServer: PageServer["operateServer"];
  /** Stands for the token of the viewer's session, which replaces it in the answer. Forms with an action contain it. */
  token: string;
}

/** A view. */
export interface View {
  /** Last segment of its address: `spend` for `/console/spend`; empty for Now. */
  name: string;
  /** Word in the navigation, and heading; a view that is not in the navigation has `hidden`. */
  label: string;
  hidden?: boolean;
  /** Key that opens it after `g`. */
  shortcut?: string;
  /** Renders it. */
  render(call: ViewCall): Page | Promise<Page>;
  /** Changes by name. Each returns the relative address to go to. */
  actions?: Readonly<Record<string, (call: ViewCall, form: URLSearchParams) => Promise<string> | string>>;
  /** Files by their names beside the view, such as `spend.csv`. */
  downloads?: Readonly<Record<string, (call: ViewCall) => Promise<Response> | Response>>;
}

/** The content of a view. */
export interface Page {
  /** Title of the document: the view, then the fact. */
  title: string;
  /** Heading; default: the view's label. */
  heading?: Html | undefined;
  /** Line above the heading, such as the way back. */
  crumb?: Html | undefined;
  /** One sentence that gives the answer in words; its first clause is `<strong>`. */
  sentence: Html;
  /** What needs a person. The first three are shown. */
  notices?: readonly Notice[] | undefined;
  /** Links or buttons beside the heading. */
  tools?: Html | undefined;
  /** The rest, from top to bottom. Parts in an inner list stand side by side on wide screens. */
  parts: readonly (Part | readonly Part[])[];
  /** Seconds between updates; undefined if the page does not change. */
  live?: 1 | 10 | undefined;
  /** HTTP status; default 200. */
  status?: number | undefined;
}

/** A part of a page. */
export interface Part {
  id: string;
  html: Html;
  /** True if it is never swapped, such as a form. */
  still?: boolean | undefined;
  /** Elements within `html` that are swapped in its place, each with an id of `partId()`. */
  inner?: readonly Part[] | undefined;
}

/** What needs a person: two words, one sentence, one link. */
export interface Notice {
  kind: Extract<StateKind, "warn" | "bad">;
  word: string;
  text: Html;
  link?: { href: string; text: string } | undefined;
}

/** Returns the id of a part's outermost element. */
export function partId(id: string): string {
  return `part-${id}`;
}

/** Creates a part whose markup is within an element of its own. */
export function part(id: string, content: HtmlValue): Part {
  return { id, html: markup`<div id="${partId(id)}" class="stack tight">${content}</div>` };
}

/** Renders the fields that a form needs for an action of its view. */
export function actionFields({ token }: ViewCall, action: string): Html {
  return markup`<input type="hidden" name="token" value="${token}"><input type="hidden" name="action" value="${action}">`;
}
