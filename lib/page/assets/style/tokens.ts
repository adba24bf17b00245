/** Style sheet: colours, spaces and sizes. A theme is a value of `color-scheme`. */
export const TOKENS = `
/* Tokens */

:root {
  color-scheme: light dark;

  /* Colour: surfaces */
  --bg: light-dark(#f7f7f5, #0d0e10);
  --surface: light-dark(#ffffff, #141618);
  --sunken: light-dark(#f0f0ed, #1b1d20);
  --hover: light-dark(#f4f5f8, #191c20);
  --line: light-dark(#e4e4e0, #25282c);
  --line-strong: light-dark(#c9c9c4, #3a3e44);
  --control: light-dark(#85888e, #6f757d);

  /* Colour: text. Two levels only; both keep 4.5:1 on every surface. */
  --text: light-dark(#17181a, #e8e9eb);
  --muted: light-dark(#5c6067, #a0a6ae);

  /* Colour: meaning. Always beside a word or a shape. */
  --accent: light-dark(#2a56c6, #8db2ff);
  --accent-bg: light-dark(#eaf0fe, #17223a);
  --ok: light-dark(#17693a, #6fcf97);
  --ok-bg: light-dark(#e8f5ec, #13281c);
  --warn: light-dark(#7d5200, #e6b450);
  --warn-bg: light-dark(#fdf4e0, #2b2312);
  --bad: light-dark(#b0231b, #ff938a);
  --bad-bg: light-dark(#fdeceb, #331a19);
  --on-accent: light-dark(#ffffff, #0d0e10);

  /* Colour: series of charts, in this order; the rest is --series-other */
  --series-1: light-dark(#3566d6, #7aa2f7);
  --series-2: light-dark(#0b8074, #3fb8a6);
  --series-3: light-dark(#b3650a, #e2a354);
  --series-4: light-dark(#8450c4, #b893f2);
  --series-5: light-dark(#bd3a76, #f087b1);
  --series-other: light-dark(#7f848b, #83888f);

  /* Space: a scale of 4 px */
  --space-1: 0.25rem;
  --space-2: 0.5rem;
  --space-3: 0.75rem;
  --space-4: 1rem;
  --space-5: 1.5rem;
  --space-6: 2rem;
  --space-7: 3rem;

  /* Type: system fonts, six sizes */
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
  --text-1: 0.75rem;
  --text-2: 0.8125rem;
  --text-3: 0.875rem;
  --text-4: 1rem;
  --text-5: 1.25rem;
  --text-6: 1.5rem;

  --radius: 0.375rem;
  --row: 2rem;
  --header: 3rem;
  --gutter: var(--space-4);
}

/* The menu's radio buttons choose a theme, without any script; the server checks the one that the cookie names. */
:root:has(#theme-light:checked),
:root[data-theme="light"]:not(:has([name="theme"])) {
  color-scheme: light;
}

:root:has(#theme-dark:checked),
:root[data-theme="dark"]:not(:has([name="theme"])) {
  color-scheme: dark;
}
`;
