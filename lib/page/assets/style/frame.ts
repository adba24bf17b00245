/** Style sheet: the frame of a view, panels and columns. */
export const FRAME = `
/* Frame */

.bar {
  position: sticky;
  top: 0;
  z-index: 5;
  display: grid;
  grid-template-columns: auto 1fr auto auto;
  align-items: center;
  column-gap: var(--space-5);
  min-height: var(--header);
  padding: 0 var(--space-5);
  background: var(--surface);
  border-bottom: 1px solid var(--line);
}

.brand {
  display: flex;
  align-items: center;
  gap: var(--space-2);
  min-height: 1.5rem;
  font-weight: 600;
  text-decoration: none;
}

.brand svg {
  width: 1.125rem;
  height: 1.125rem;
}

.brand .mark-line {
  fill: none;
  stroke: var(--on-accent);
  stroke-width: 1.6;
  stroke-linecap: round;
  stroke-linejoin: round;
}

.brand .muted {
  font-weight: 400;
}

.nav ul {
  display: flex;
}

.nav a {
  display: flex;
  align-items: center;
  gap: var(--space-1);
  height: var(--header);
  padding: 0 var(--space-3);
  color: var(--muted);
  text-decoration: none;
  border-block: 2px solid transparent;
}

.nav a:hover {
  color: var(--text);
}

.nav a:focus-visible {
  outline-offset: -3px;
}

.nav a[aria-current] {
  color: var(--text);
  border-bottom-color: var(--accent);
}

.count {
  min-width: 1.25rem;
  padding: 0 0.3125rem;
  border-radius: 0.625rem;
  background: var(--sunken);
  color: var(--text);
  font-size: var(--text-1);
  line-height: 1.25rem;
  text-align: center;
}

.live {
  display: flex;
  align-items: center;
  gap: var(--space-2);
  color: var(--muted);
  font-size: var(--text-1);
  white-space: nowrap;
}

.live > span {
  display: inline-flex;
  align-items: center;
  gap: var(--space-2);
}

.live .icon {
  color: var(--ok);
}

.live[data-state="paused"] .icon {
  color: var(--warn);
}

.live[data-state="lost"] .icon {
  color: var(--bad);
}

main {
  flex: 1;
  width: 100%;
  max-width: 100rem;
  margin: 0 auto;
  padding: var(--space-5) var(--space-5) var(--space-7);
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  align-content: start;
  gap: var(--space-5);
}

.foot {
  display: flex;
  flex-wrap: wrap;
  gap: var(--space-1) var(--space-5);
  padding: var(--space-3) var(--space-5);
  border-top: 1px solid var(--line);
  color: var(--muted);
  font-size: var(--text-1);
}

.head {
  display: flex;
  flex-wrap: wrap;
  align-items: flex-start;
  justify-content: space-between;
  gap: var(--space-3) var(--space-5);
}

.head > div:first-child {
  flex: 1 1 24rem;
  min-width: 0;
}

.lede {
  max-width: 76ch;
  margin-top: var(--space-1);
  font-size: var(--text-3);
  color: var(--muted);
}

.lede strong {
  color: var(--text);
  font-weight: 600;
}

.crumb {
  margin-bottom: var(--space-1);
  color: var(--muted);
  font-size: var(--text-1);
}

section > header {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  justify-content: space-between;
  gap: var(--space-1) var(--space-4);
  margin-bottom: var(--space-2);
}

section > header p {
  color: var(--muted);
  font-size: var(--text-1);
}

.panel {
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: var(--radius);
}

.pad {
  padding: var(--space-4);
}

.columns {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: var(--space-5);
  align-items: start;
}

@media (min-width: 64rem) {
  .columns {
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
  }

  .columns.wide-left {
    grid-template-columns: minmax(0, 1.9fr) minmax(0, 1fr);
  }
}

.stack {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: var(--space-5);
}

.stack.tight,
.panel.stack {
  gap: var(--space-3);
}

.stack > header {
  margin-bottom: 0;
}
`;
