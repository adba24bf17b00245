import { type Html, type HtmlValue, markup } from "../elements/html.ts";

/** Renders a section: a heading, a note beside it, and its content. */
export function section(
  id: string,
  heading: string,
  { note, body }: { note?: HtmlValue; body: HtmlValue },
): Html {
  return markup`<section aria-labelledby="${id}"><header><h2 id="${id}">${heading}</h2>${
    note && markup`<p>${note}</p>`
  }</header>${body}</section>`;
}
