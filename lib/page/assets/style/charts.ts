/** Style sheet: figures and charts, whose geometry is in SVG attributes. */
export const CHARTS = `
/* Strip of figures */

.strip {
  display: grid;
  grid-template-columns: repeat(6, minmax(0, 1fr));
  overflow: hidden;
}

.strip > div {
  padding: var(--space-3) var(--space-4);
  border-left: 1px solid var(--line);
  min-width: 0;
}

.strip > div:first-child {
  border-left: 0;
}

.strip dt {
  color: var(--muted);
  font-size: var(--text-1);
}

.strip .value {
  font-size: var(--text-5);
  font-weight: 600;
  line-height: 1.5;
  letter-spacing: -0.012em;
  white-space: nowrap;
}

.strip .value .unit {
  font-size: var(--text-2);
  font-weight: 400;
  color: var(--muted);
  letter-spacing: 0;
}

.strip .note {
  color: var(--muted);
  font-size: var(--text-1);
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.strip .note strong {
  font-weight: 600;
  color: var(--bad);
}

.strip svg.spark {
  margin-top: var(--space-2);
}

/* Charts */

.spark {
  display: block;
  width: 100%;
  height: 1.75rem;
  overflow: visible;
  color: var(--muted);
}

.spark path.line {
  fill: none;
  stroke: currentColor;
  stroke-width: 1.25;
  vector-effect: non-scaling-stroke;
}

.spark path.area {
  fill: currentColor;
  opacity: 0.1;
}

.spark path.second {
  stroke-dasharray: 3 2;
}

.spark .base {
  stroke: var(--line-strong);
  stroke-width: 1;
  vector-effect: non-scaling-stroke;
}

.spark .mark {
  fill: var(--bad);
}

.spark rect {
  fill: currentColor;
}

.chart {
  display: block;
  width: 100%;
  overflow: visible;
  font-size: var(--text-1);
}

.chart text {
  fill: var(--muted);
  font: 400 var(--text-1) / 1 var(--sans);
}

.chart .grid {
  stroke: var(--line);
}

.chart .axis {
  stroke: var(--line-strong);
}

.chart .limit {
  stroke: var(--bad);
  stroke-dasharray: 4 3;
}

.chart rect.partial {
  opacity: 0.55;
}

.fill-1 {
  fill: var(--series-1);
  background: var(--series-1);
}

.fill-2 {
  fill: var(--series-2);
  background: var(--series-2);
}

.fill-3 {
  fill: var(--series-3);
  background: var(--series-3);
}

.fill-4 {
  fill: var(--series-4);
  background: var(--series-4);
}

.fill-5 {
  fill: var(--series-5);
  background: var(--series-5);
}

.fill-6 {
  fill: var(--series-other);
  background: var(--series-other);
}

.fill-accent {
  fill: var(--accent);
}

.fill-muted {
  fill: var(--control);
}

.fill-warn {
  fill: var(--warn);
}

.fill-bad {
  fill: var(--bad);
}

.fill-track {
  fill: var(--sunken);
}

.plot {
  display: grid;
  grid-template-columns: 1.75rem minmax(0, 1fr);
  gap: var(--space-2);
}

.dist {
  display: block;
  width: 9rem;
  height: 1.375rem;
}

.dist .p {
  stroke: var(--text);
  stroke-width: 1.5;
}

.meter {
  display: block;
  width: 100%;
  min-width: 4rem;
  height: 0.5rem;
  border-radius: 2px;
  overflow: hidden;
}
`;
