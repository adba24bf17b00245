/** Style sheet: narrow screens. Some columns are hidden below 87.5, 80 and 64 rem, most of them below 48 rem. */
export const WIDTHS = `
/* Widths: below 87.5, 80 and 64rem some columns go, below 48rem most of them, and rows say the rest on a second line */

@media (max-width: 87.49rem) {
  .over-xl {
    display: none;
  }
}

@media (max-width: 79.99rem) {
  .over-l {
    display: none;
  }

  .sub.under-l {
    display: block;
  }

  .timeline th .sub {
    white-space: normal;
  }

  .chain .model {
    flex-wrap: wrap;
    white-space: normal;
    overflow-wrap: anywhere;
  }
}

@media (max-width: 63.99rem) {
  .over-s {
    display: none;
  }

  .strip {
    grid-template-columns: repeat(3, minmax(0, 1fr));
  }

  .strip > div:nth-child(3n + 1) {
    border-left: 0;
  }

  .strip > div:nth-child(n + 4) {
    border-top: 1px solid var(--line);
  }

  .bar {
    column-gap: var(--space-4);
  }

  .brand .host {
    display: none;
  }
}

@media (max-width: 47.99rem) {
  :root {
    --header: 2.75rem;
  }

  .over-m {
    display: none;
  }

  /* Only with enlarged letter spacing or very long numbers: nothing may be cut off */
  .scroll {
    overflow-x: auto;
  }

  .narrow {
    display: revert;
  }

  span.narrow {
    display: block;
  }

  /* The word of a state goes to the second line of the row; screen readers keep it here. */
  .short .state[data-kind="run"] .word,
  .short .state[data-kind="warn"] .word:not(:has(+ *)),
  thead .short .word {
    position: absolute;
    clip-path: inset(50%);
  }

  td.short,
  th.short {
    padding-right: 0 !important;
  }

  .bar {
    grid-template-columns: 1fr auto auto;
    column-gap: var(--space-2);
    padding: 0 var(--gutter);
    position: static;
  }

  .brand {
    min-width: 0;
    min-height: var(--header);
    white-space: nowrap;
  }

  .brand .host {
    display: inline;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }

  .step {
    white-space: normal;
  }

  tbody :is(td, th):not(.num, .fit) {
    overflow-wrap: anywhere;
  }

  tbody .tag {
    white-space: normal;
  }

  .nav {
    grid-row: 2;
    grid-column: 1 / -1;
    margin: 0 calc(-1 * var(--space-2));
  }

  .nav ul {
    flex-wrap: wrap;
    justify-content: space-between;
  }

  .nav a {
    height: 2.25rem;
    padding: 0 var(--space-2);
  }

  .nav .count {
    display: none;
  }

  table.pinned thead th {
    position: static;
  }

  main,
  .foot {
    padding-inline: var(--gutter);
  }

  main {
    padding-top: var(--space-4);
  }

  .strip {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }

  .strip > div:nth-child(n) {
    padding: var(--space-2) var(--space-3);
    border-left: 1px solid var(--line);
  }

  .strip > div:nth-child(odd) {
    border-left: 0;
  }

  .strip > div:nth-child(n + 3) {
    border-top: 1px solid var(--line);
  }

  th,
  td {
    padding: 0.4375rem var(--space-2);
  }

  th:first-child,
  td:first-child {
    padding-left: var(--space-3);
  }

  th:last-child,
  td:last-child {
    padding-right: var(--space-3);
  }

  tbody :is(th, td) {
    vertical-align: top;
  }

  /* Names wrap as text does; nothing is cut off */
  tbody :is(.route, .model),
  tbody .route > :is(a, .model),
  tbody .model > * {
    display: inline;
    overflow: visible;
    white-space: normal;
    overflow-wrap: anywhere;
    vertical-align: baseline;
  }

  .chain,
  .chain > span {
    display: inline;
  }

  tbody .sub .state {
    white-space: normal;
  }

  h1 .mono {
    font-size: 0.8em;
  }

  .empty {
    padding: var(--space-4);
  }

  .pad {
    padding: var(--space-3);
  }

  .actions.narrow {
    display: flex;
    margin-top: var(--space-2);
  }

  .cut {
    max-width: 0;
    white-space: normal;
    overflow-wrap: anywhere;
  }

  .filters label {
    flex: 1 1 calc(50% - var(--space-3));
  }

  .filters label.long {
    flex-basis: 100%;
    max-width: none;
  }

  .filters .push {
    margin-left: 0;
  }

  .timeline .lane {
    display: none;
  }

  .facts {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }

  .segment > * {
    flex: 1 0 auto;
    justify-content: center;
  }

  .segment.full {
    display: flex;
  }

  .segment.full > * {
    flex: 1;
    justify-content: center;
    padding: 0 var(--space-1);
  }
}
`;
