/** Style sheet: reduced motion, more contrast, forced colours and paper. */
export const MEDIA = `
/* People who ask for less motion, more contrast, or the system's colours */

@media (prefers-reduced-motion: reduce) {
  *,
  *::before,
  *::after {
    animation: none !important;
    transition: none !important;
    scroll-behavior: auto !important;
  }
}

@media (prefers-contrast: more) {
  :root {
    --muted: var(--text);
    --line: var(--control);
    --line-strong: var(--text);
  }
}

@media (forced-colors: active) {
  .chart rect,
  .spark rect,
  .meter rect,
  .swatch {
    forced-color-adjust: none;
  }

  .nav a[aria-current],
  .segment [aria-current] {
    border-bottom: 2px solid Highlight;
  }
}

/* Paper: Spend is handed to others; the frame stays behind */

@media print {
  :root {
    color-scheme: light !important;
    --bg: #fff;
    --surface: #fff;
  }

  .bar,
  .foot .screen,
  .screen,
  .skip,
  dialog {
    display: none !important;
  }

  html {
    font-size: 80%;
  }

  body,
  main {
    display: block;
    padding: 0;
    max-width: none;
  }

  main > * + *,
  .stack > * + *,
  .columns > * + * {
    margin-top: var(--space-5);
  }

  .columns,
  .stack,
  .columns.wide-left {
    display: block;
  }

  .panel,
  .scroll {
    border: 0;
    overflow: visible;
  }

  section,
  tr,
  figure {
    break-inside: avoid;
  }

  section.long {
    break-inside: auto;
  }

  thead {
    display: table-header-group;
  }

  table.pinned thead th {
    position: static;
  }

  a {
    text-decoration: none;
  }

  .fill-1,
  .fill-2,
  .fill-3,
  .fill-4,
  .fill-5,
  .fill-6,
  .fill-accent,
  .fill-muted,
  .fill-warn,
  .fill-bad,
  .fill-track {
    print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
}
`;
