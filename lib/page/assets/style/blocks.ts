/** Style sheet: facts, timelines, empty states, the sign-in form and dialogs. */
export const BLOCKS = `
/* Facts: a description list in columns */

.facts {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  gap: var(--space-3) var(--space-5);
}

.facts > div {
  min-width: 0;
}

.facts dt {
  color: var(--muted);
  font-size: var(--text-1);
}

.facts dd {
  overflow-wrap: anywhere;
}

.facts .wide {
  grid-column: span 2;
}

/* Timeline of a request */

.timeline .lane {
  width: 42%;
  padding-right: var(--space-4);
  vertical-align: middle;
}

.timeline svg.lane-chart {
  display: block;
  width: 100%;
  height: 1rem;
  overflow: visible;
}

.timeline .deep th {
  padding-left: var(--space-5);
}

.lane-chart .tick {
  stroke: var(--line);
}

.lane-chart .first {
  stroke: var(--text);
  stroke-width: 1.5;
}

.timeline thead .lane-chart text {
  fill: var(--muted);
  font: 400 var(--text-1) / 1 var(--sans);
}

.step {
  white-space: nowrap;
}

.chain {
  display: flex;
  flex-wrap: wrap;
  gap: 0 var(--space-2);
  min-width: 0;
}

.chain > span {
  min-width: 0;
  max-width: 100%;
}

.meter-cell {
  width: 7rem;
}

.meter-cell.wide {
  min-width: 16vw;
}

.chart-cell {
  vertical-align: middle;
}

.spark-cell {
  width: 8rem;
  vertical-align: middle;
}

.spark-cell .spark {
  height: 1.5rem;
}

.sub .state {
  white-space: normal;
}

.sub.text {
  max-width: 72ch;
}

table.settings .fit {
  width: 7rem;
}

table.settings th[scope="row"] {
  width: 38%;
}

/* Empty states */

.empty {
  display: grid;
  gap: var(--space-3);
  justify-items: start;
  padding: var(--space-6) var(--space-5);
}

.empty p {
  max-width: 64ch;
  color: var(--muted);
}

.empty pre {
  width: 100%;
  max-width: 46rem;
}

.empty .command {
  width: 100%;
  max-width: 46rem;
}

.steps {
  display: grid;
  gap: var(--space-4);
  width: 100%;
  counter-reset: step;
}

.steps > li {
  display: grid;
  gap: var(--space-1);
  padding-left: var(--space-6);
  position: relative;
}

.steps > li::before {
  counter-increment: step;
  content: counter(step);
  position: absolute;
  left: 0;
  top: 0.0625rem;
  width: 1.25rem;
  height: 1.25rem;
  border: 1px solid var(--control);
  border-radius: 50%;
  font-size: var(--text-1);
  line-height: 1.125rem;
  text-align: center;
}

/* Sign-in */

body.alone main {
  max-width: 24rem;
  align-content: center;
  padding-block: var(--space-7);
}

.form {
  display: grid;
  gap: var(--space-3);
}

.form label {
  display: grid;
  gap: var(--space-1);
}

.form input {
  min-height: 2.25rem;
}

.form button {
  min-height: 2.25rem;
  justify-content: center;
}

.form [aria-invalid] {
  border-color: var(--bad);
}

.fault {
  display: flex;
  gap: var(--space-2);
  align-items: baseline;
  padding: var(--space-2) var(--space-3);
  border-radius: var(--radius);
  background: var(--bad-bg);
  color: var(--bad);
}

.hint {
  color: var(--muted);
  font-size: var(--text-1);
}

dialog {
  max-width: min(32rem, calc(100vw - 2 * var(--gutter)));
  padding: var(--space-5);
  border: 1px solid var(--line-strong);
  border-radius: var(--radius);
  background: var(--surface);
  color: var(--text);
}

dialog::backdrop {
  background: rgb(0 0 0 / 0.45);
}

.keys {
  display: grid;
  grid-template-columns: auto 1fr;
  gap: var(--space-2) var(--space-4);
  margin-block: var(--space-3);
}
`;
