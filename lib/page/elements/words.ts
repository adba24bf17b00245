import { formatCount, formatExact, UNKNOWN } from "./format.ts";
import { attributes, type Html, type HtmlValue, markup, NOTHING } from "./html.ts";
import { icon, type IconName } from "./icons.ts";

/** Meaning of a state: running, healthy, ended, to be watched, failed, off. */
export type StateKind = "run" | "ok" | "done" | "warn" | "bad" | "off";

/** Renders a state: a shape and a word. */
export function state(
  kind: StateKind,
  word: HtmlValue,
  { shape = SHAPES[kind], spins = false }: { shape?: IconName; spins?: boolean } = {},
): Html {
  return markup`<span class="state" data-kind="${kind}">${
    icon(shape, { spins })
  }<span class="word">${word}</span></span>`;
}

const SHAPES: Record<StateKind, IconName> = {
  run: "running",
  ok: "dot",
  done: "check",
  warn: "warning",
  bad: "cross",
  off: "circle",
};

/** Renders a fact beside a row, such as `1 fallback`. */
export function tag(word: string, kind?: "warn" | "bad"): Html {
  return markup`<span class="${kind === undefined ? "tag" : `tag ${kind}`}">${word}</span>`;
}

/** Renders at most two tags, and how many more there are. */
export function tags(all: readonly Html[]): Html {
  if (all.length === 0) return NOTHING;
  const shown = all.slice(0, 2);
  return markup`<span class="tags">${shown}${
    all.length > 2 && markup`<span class="tag">+${all.length - 2}</span>`
  }</span>`;
}

/** Renders an unknown value. */
export function unknown(title?: string): Html {
  return markup`<span class="muted"${attributes({ title })}>${UNKNOWN}</span>`;
}

/** Renders a number, shortened from 10,000 on; the exact number is its title. Undefined is unknown. */
export function count(value: number | undefined): Html {
  if (value === undefined) return unknown();
  const short = formatCount(value);
  const exact = formatExact(value);
  return short === exact
    ? markup`${exact}`
    : markup`<data value="${Math.round(value)}" title="${exact}">${short}</data>`;
}

/** Renders the name of a model: its author is muted, and is the first to be cut. */
export function modelName(name: string): Html {
  const cut = name.lastIndexOf("/") + 1;
  const author = cut > 0 && markup`<span class="author">${name.slice(0, cut)}</span>`;
  return markup`<span class="model" title="${name}">${author}<span class="name">${
    name.slice(cut)
  }</span></span>`;
}

/** How a time is written: time of the day with or without seconds, with the date if it is another day, or both. */
export type TimeForm = "time" | "minute" | "short" | "full";

/** Renders a time in UTC; the script writes it in the viewer's zone. `now` is needed for the form `short`. */
export function time(at: number, form: TimeForm, now = at): Html {
  const iso = new Date(at).toISOString();
  const day = iso.slice(0, 10);
  const clock = iso.slice(11, form === "minute" || form === "short" ? 16 : 19);
  const isToday = day === new Date(now).toISOString().slice(0, 10);
  const text = form === "full" || (form === "short" && !isToday) ? `${day} ${clock}` : clock;
  return markup`<time datetime="${iso}" data-as="${form}">${text}</time>`;
}

/** Renders a button that copies a text. It is shown only with script. */
export function copyButton(text: string, name: string, { first = false } = {}): Html {
  return markup`<button class="quiet" type="button" data-copy="${text}" data-name="${name}" aria-label="Copy ${name}"${
    attributes({ "data-copy-first": first })
  } data-script hidden>${icon("copy")}</button>`;
}

/** Renders a command to run, with a button that copies it. */
export function command(text: string, name = "the command"): Html {
  return markup`<div class="command"><pre tabindex="0" aria-label="Command">${text}</pre>${
    copyButton(text, name)
  }</div>`;
}

/** Renders facts as a list of terms; `wide` ones take two columns. */
export function facts(
  entries: readonly ({ name: string; value: HtmlValue; wide?: boolean } | undefined)[],
): Html {
  return markup`<dl class="facts">${
    entries.map((entry) =>
      entry &&
      markup`<div${
        attributes({ class: entry.wide && "wide" })
      }><dt>${entry.name}</dt><dd>${entry.value}</dd></div>`
    )
  }</dl>`;
}
