import { type Html, markup } from "./html.ts";

/** Icons by name; each state has a shape, so that colour is never the only signal. */
const PATHS = {
  running: markup`<path d="M14 8a6 6 0 1 1-6-6" />`,
  tool: markup`<path d="M2.5 4.5 6 8l-3.5 3.5M8 12h5.5" />`,
  waiting: markup`<circle cx="8" cy="8" r="6" stroke-dasharray="2.4 2.3" />`,
  check: markup`<path d="m3 8.5 3.2 3.2L13 5" />`,
  cross: markup`<path d="m4 4 8 8M12 4l-8 8" />`,
  stop: markup`<circle cx="8" cy="8" r="6" /><path d="M5 8h6" />`,
  warning: markup`<path d="M8 2.5 14.5 13.5h-13ZM8 6.5v3M8 11.6v.1" />`,
  dot: markup`<circle class="solid" cx="8" cy="8" r="4" />`,
  circle: markup`<circle cx="8" cy="8" r="6" />`,
  pause: markup`<path d="M5.5 3.5v9M10.5 3.5v9" />`,
  menu: markup`<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />`,
  copy: markup`<path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8Z" />`,
  left: markup`<path d="M13 8H3M6.5 4.5 3 8l3.5 3.5" />`,
} as const;

/** Name of an icon. */
export type IconName = keyof typeof PATHS;

/** Renders an icon, hidden from screen readers: a word stands beside it. */
export function icon(name: IconName, { spins = false }: { spins?: boolean } = {}): Html {
  return markup`<svg class="${spins ? "icon spin" : "icon"}" viewBox="0 0 16 16" aria-hidden="true">${
    PATHS[name]
  }</svg>`;
}
