import { html as template, raw } from "hono/html";

/** Markup: its texts are escaped. */
export type Html = string & { isEscaped: true };

/**
 * Template tag for markup. Texts among the values are escaped, in attributes too; arrays are joined; undefined, null,
 * true and false are left out. The values of `href` and `action` are built from constants and `encodeURIComponent`:
 * their scheme is not checked. (It is not named `html`, because `deno fmt` adds spaces to templates of that name.)
 *
 * @example Usage
 * ```ts
 * import { markup } from "./html.ts";
 *
 * if (String(markup`<b>${"<i>"}</b>`) !== "<b>&lt;i&gt;</b>") throw new Error("not escaped");
 * ```
 */
export function markup(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const made = template(strings, ...values);
  if (made instanceof Promise) throw new TypeError("Cannot render a promise: await it before");
  return made;
}

/** What a template may hold. */
export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

/** Markup without content. */
export const NOTHING: Html = raw("");

/** Joins pieces of markup, with a separator between them. */
export function join(pieces: readonly HtmlValue[], separator: HtmlValue): Html {
  return markup`${pieces.flatMap((piece, at) => at === 0 ? [piece] : [separator, piece])}`;
}

/**
 * Renders attributes with a space before each: undefined and false leave one out, true has no value. Names are
 * constants.
 */
export function attributes(values: Readonly<Record<string, string | boolean | undefined>>): Html {
  return markup`${
    Object.entries(values).map(([name, value]) =>
      value === true ? raw(` ${name}`) : typeof value === "string" && markup`${raw(` ${name}`)}="${value}"`
    )
  }`;
}
