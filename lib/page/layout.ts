import { NAME, VERSION } from "../base/version.ts";
import { describeRuntime } from "../runtime/process.ts";
import { formatDuration } from "./elements/format.ts";
import { attributes, type Html, markup } from "./elements/html.ts";
import { icon } from "./elements/icons.ts";
import { state, time } from "./elements/words.ts";
import { type Notice, type Page, type Part, partId, type View, type ViewCall } from "./view.ts";

/** Theme of the page, as the viewer's cookie names it; `auto` follows the system. */
export type Theme = "auto" | "light" | "dark";

/** What the frame of a view shows. */
export interface Frame {
  views: readonly View[];
  theme: Theme;
  /** Number of groups of errors that are not resolved. */
  unresolved: number;
  /** True if the viewer has signed in, and can sign out. */
  signedIn: boolean;
  startedAt: number;
}

/** Maximum number of notices that are shown. */
const MAX_NOTICES = 3;

/** Renders a whole document with a view. */
export function renderDocument(view: View, page: Page, call: ViewCall, frame: Frame): Html {
  const { title, live, crumb, heading = view.label, tools, parts } = page;
  const stream = live === undefined ? undefined : toStream(view, call.query);
  const links = frame.views.filter(({ hidden }) => hidden !== true)
    .map((each) => renderLink(each, view, frame));
  const uptime = formatDuration(call.now - frame.startedAt);
  return renderShell(
    { title, theme: frame.theme, stream },
    markup`<a class="skip" href="#main">Skip to content</a>
<header class="bar">
<a class="brand" href=".">${MARK}<span>Gateway</span> <span class="muted host">${call.host}</span></a>
<nav class="nav" aria-label="Views"><ul>${links}</ul></nav>
${renderLive(page, toAddress(view, call.query), call.now)}
${renderMenu(call, frame)}
</header>
<main id="main" tabindex="-1">
<div class="head">
<div>${crumb && markup`<p class="crumb">${crumb}</p>`}<h1>${heading}</h1>${renderSentence(page)}</div>
${tools}
</div>
${renderNotices(page)}
${parts.map(renderPart)}
</main>
<footer class="foot">
<span>${NAME} ${VERSION}</span>
<span class="over-m">${RUNTIME}</span>
<span class="screen">Up ${uptime}</span>
<span>Times in <span data-zone>UTC</span>; days and budgets in UTC</span>
</footer>
${SHORTCUTS}`,
  );
}

/** What the document around a body has. */
export interface Shell {
  title: string;
  theme: Theme;
  /** Relative address of the page's event stream. */
  stream?: string | undefined;
  /** True for a single block in the middle. */
  alone?: boolean;
}

/** Renders a document around a body: the head, the live region, the script. */
export function renderShell({ title, theme, stream, alone }: Shell, body: Html): Html {
  const ofDocument = attributes({ "data-theme": theme !== "auto" && theme });
  const ofBody = attributes({ class: alone === true && "alone", "data-stream": stream });
  return markup`<!doctype html>
<html lang="en"${ofDocument}>
<head>
<meta charset="utf-8">
<title>${title} · Gateway</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme === "auto" ? "light dark" : theme}">
<meta name="robots" content="noindex">
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body${ofBody}>
${body}
<p id="said" class="sr" role="status"></p>
</body>
</html>
`;
}

/** The gateway's mark. */
export const MARK =
  markup`<svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3.5" class="fill-accent" /><path d="M3.5 5h4.2l3 3-3 3H3.5M10.7 8h1.8" class="mark-line" /></svg>`;

/** Returns the parts of a page that can be swapped, by the ids of their elements. */
export function toSwapped(page: Page, unresolved: number): Map<string, string> {
  const parts: Part[] = [
    { id: "sentence", html: renderSentence(page) },
    { id: "notices", html: renderNotices(page) },
    { id: "unresolved", html: renderUnresolved(unresolved) },
    ...page.parts.flat().flatMap((part) => part.inner ?? (part.still === true ? [] : [part])),
  ];
  return new Map(parts.map(({ id, html }) => [partId(id), String(html)]));
}

/** Returns the relative address of a view with a query. */
function toAddress({ name }: View, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? name || "." : `${name || "."}?${text}`;
}

function toStream({ name }: View, query: URLSearchParams): string {
  const all = new URLSearchParams(query);
  all.set("view", name);
  return `events?${all}`;
}

function renderLink(view: View, current: View, { unresolved }: Frame): Html {
  const { name, label, shortcut } = view;
  const isCurrent = name === current.name;
  return markup`<li><a href="${name || "."}"${
    attributes({ "aria-current": isCurrent && "page", "data-go": shortcut })
  }>${label}${name === "errors" && renderUnresolved(unresolved)}</a></li>`;
}

function renderUnresolved(unresolved: number): Html {
  return unresolved === 0
    ? markup`<span id="${partId("unresolved")}"></span>`
    : markup`<span id="${
      partId("unresolved")
    }" class="count">${unresolved}<span class="sr"> unresolved</span></span>`;
}

function renderSentence({ sentence }: Page): Html {
  return markup`<p class="lede" id="${partId("sentence")}">${sentence}</p>`;
}

function renderNotices({ notices = [] }: Page): Html {
  const more = notices.length - MAX_NOTICES;
  return markup`<div class="notices" id="${partId("notices")}"${
    attributes({ hidden: notices.length === 0 })
  }>${notices.slice(0, MAX_NOTICES).map(renderNotice)}${
    more > 0 && markup`<p class="muted">and ${more} more</p>`
  }</div>`;
}

function renderNotice({ kind, word, text, link }: Notice): Html {
  return markup`<div class="notice" data-kind="${kind}">${state(kind, word)}<p>${text}</p>${
    link && markup`<a href="${link.href}">${link.text}</a>`
  }</div>`;
}

function renderPart(part: Part | readonly Part[]): Html {
  if ("html" in part) return part.html;
  return markup`<div class="columns">${part.map(({ html }) => html)}</div>`;
}

/** Renders the state of the live updates; without script, the time of the page and a link to load it again. */
function renderLive({ live }: Page, address: string, now: number): Html {
  if (live === undefined) return markup`<p class="live" data-state="still"></p>`;
  return markup`<p class="live" data-state="live" id="live">
<button type="button" id="held" class="quiet" hidden>Show new</button>
<span data-script hidden><span data-shape="live">${icon("dot")}</span><span data-shape="paused" hidden>${
    icon("pause")
  }</span><span data-shape="lost" hidden>${icon("cross")}</span><span id="live-word">Live</span></span>
<noscript>As of ${time(now, "time")} UTC. <a href="${address}">Reload</a></noscript>
</p>`;
}

function renderMenu({ token }: ViewCall, { theme, signedIn }: Frame): Html {
  return markup`<details class="menu">
<summary>${icon("menu")}<span class="sr">Menu</span></summary>
<div>
<fieldset><legend>Theme</legend><div class="segment">${
    renderChoice("theme", [["auto", "System"], ["light", "Light"], ["dark", "Dark"]], theme)
  }</div></fieldset>
<fieldset data-script hidden><legend>Shortcuts</legend><div class="segment">${
    renderChoice("shortcuts", [["on", "On"], ["off", "Off"]], "on")
  }</div></fieldset>
${
    signedIn &&
    markup`<form method="post" action="sign-out"><input type="hidden" name="token" value="${token}"><button type="submit">Sign out</button></form>`
  }
</div>
</details>`;
}

function renderChoice(group: string, choices: readonly [value: string, label: string][], chosen: string) {
  return choices.map(([value, label]) =>
    markup`<label><input type="radio" name="${group}" id="${group}-${value}" value="${value}"${
      attributes({ checked: value === chosen })
    }>${label}</label>`
  );
}

const RUNTIME = Object.values(describeRuntime()).join(" ");

const SHORTCUTS = markup`<dialog id="shortcuts" aria-labelledby="shortcuts-title">
<h2 id="shortcuts-title">Shortcuts</h2>
<dl class="keys">
<dt><kbd>g</kbd> <kbd>n</kbd></dt>
<dd>Now; <kbd>s</kbd> Spend, <kbd>m</kbd> Models, <kbd>t</kbd> Tools, <kbd>e</kbd> Errors, <kbd>,</kbd> Settings</dd>
<dt><kbd>/</kbd></dt>
<dd>First filter</dd>
<dt><kbd>j</kbd> <kbd>k</kbd></dt>
<dd>Next and previous row; <kbd>Enter</kbd> opens it</dd>
<dt><kbd>p</kbd></dt>
<dd>Pause and continue live updates</dd>
<dt><kbd>c</kbd></dt>
<dd>Copy the request id</dd>
<dt><kbd>?</kbd></dt>
<dd>This list</dd>
</dl>
<form method="dialog"><button>Close</button></form>
</dialog>`;
