import { SCRIPT } from "./assets/script.ts";
import { BASE } from "./assets/style/base.ts";
import { BLOCKS } from "./assets/style/blocks.ts";
import { CHARTS } from "./assets/style/charts.ts";
import { CONTROLS } from "./assets/style/controls.ts";
import { FRAME } from "./assets/style/frame.ts";
import { MEDIA } from "./assets/style/media.ts";
import { STATES } from "./assets/style/states.ts";
import { TABLES } from "./assets/style/tables.ts";
import { TOKENS } from "./assets/style/tokens.ts";
import { WIDTHS } from "./assets/style/widths.ts";

/** A file that the page loads. */
export interface Asset {
  type: string;
  text: string;
}

/**
 * The page's files by name. They are part of the program, because it may be forbidden to read files. They need no
 * sign-in.
 */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["page.css", {
    type: "text/css; charset=utf-8",
    text: [TOKENS, BASE, FRAME, STATES, TABLES, CHARTS, CONTROLS, BLOCKS, WIDTHS, MEDIA].join("\n"),
  }],
  ["page.js", { type: "text/javascript; charset=utf-8", text: SCRIPT }],
  ["icon.svg", {
    type: "image/svg+xml",
    text:
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3.5" fill="#2a56c6"/><path d="M3.5 5h4.2l3 3-3 3H3.5M10.7 8h1.8" fill="none" stroke="#fff" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/></svg>',
  }],
]);
