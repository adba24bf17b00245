/** Style sheet: notices, controls and the menu. */
export const CONTROLS = `
/* Notices: one sentence, what it means, where to go */

.notices {
  display: grid;
  gap: var(--space-2);
}

.notice {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0 var(--space-3);
  padding: var(--space-2) var(--space-3);
  border: 1px solid var(--line);
  border-left: 3px solid var(--muted);
  border-radius: var(--radius);
  background: var(--surface);
}

.notice p {
  flex: 1 1 18rem;
  min-width: 0;
}

.notice a {
  display: inline-flex;
  align-items: center;
  min-height: 1.5rem;
  white-space: nowrap;
}

.notice[data-kind="warn"] {
  border-left-color: var(--warn);
}

.notice[data-kind="bad"] {
  border-left-color: var(--bad);
}

.notice .state {
  min-width: 8rem;
  font-weight: 600;
}

/* Controls */

button,
.button,
select,
input {
  font: inherit;
  color: inherit;
}

.button,
button {
  display: inline-flex;
  align-items: center;
  gap: var(--space-2);
  min-height: 1.75rem;
  padding: 0 var(--space-3);
  border: 1px solid var(--control);
  border-radius: var(--radius);
  background: var(--surface);
  text-decoration: none;
  white-space: nowrap;
  cursor: pointer;
}

.button:hover,
button:hover {
  background: var(--hover);
  color: inherit;
}

.button.primary,
button.primary {
  border-color: var(--accent);
  background: var(--accent);
  color: var(--on-accent);
}

button.quiet {
  min-height: 1.5rem;
  min-width: 1.5rem;
  padding: 0 var(--space-1);
  border-color: transparent;
  background: none;
  color: var(--muted);
}

button.quiet:hover {
  color: var(--text);
  background: var(--sunken);
}

select,
input[type="text"],
input[type="search"],
input[type="password"] {
  min-height: 1.75rem;
  width: 100%;
  padding: 0 var(--space-2);
  border: 1px solid var(--control);
  border-radius: var(--radius);
  background: var(--surface);
}

.filters {
  display: flex;
  flex-wrap: wrap;
  align-items: end;
  gap: var(--space-2) var(--space-3);
}

.filters label {
  display: grid;
  gap: 0.125rem;
  flex: 0 1 11rem;
  color: var(--muted);
  font-size: var(--text-1);
}

.filters label.long {
  flex: 1 1 14rem;
  max-width: 20rem;
}

.filters :is(select, input) {
  color: var(--text);
  font-size: var(--text-2);
}

.filters .push {
  margin-left: auto;
}

.segment {
  display: inline-flex;
  flex-wrap: wrap;
  max-width: 100%;
  border: 1px solid var(--control);
  border-radius: var(--radius);
  overflow: clip;
}

.segment :is(a, label) {
  display: inline-flex;
  align-items: center;
  min-height: 1.75rem;
  padding: 0 var(--space-3);
  text-decoration: none;
  white-space: nowrap;
  cursor: pointer;
}

.segment :is(a, label) + :is(a, label) {
  border-left: 1px solid var(--control);
}

.segment [aria-current],
.segment label:has(:checked) {
  background: var(--accent-bg);
  color: var(--accent);
  font-weight: 600;
}

.segment a:focus-visible,
.segment label:has(:focus-visible) {
  outline: 2px solid var(--accent);
  outline-offset: -2px;
}

.segment input {
  position: absolute;
  opacity: 0;
}

.menu {
  position: relative;
}

.menu > summary {
  display: inline-flex;
  align-items: center;
  gap: var(--space-1);
  min-height: 1.75rem;
  padding: 0 var(--space-2);
  border-radius: var(--radius);
  color: var(--muted);
  cursor: pointer;
  list-style: none;
}

.menu > summary::-webkit-details-marker {
  display: none;
}

.menu > summary:hover,
.menu[open] > summary {
  background: var(--sunken);
  color: var(--text);
}

.menu > div {
  position: absolute;
  right: 0;
  top: calc(100% + var(--space-1));
  z-index: 6;
  display: grid;
  gap: var(--space-3);
  width: max-content;
  max-width: calc(100vw - 2 * var(--gutter));
  padding: var(--space-3);
  background: var(--surface);
  border: 1px solid var(--line-strong);
  border-radius: var(--radius);
  box-shadow: 0 6px 24px light-dark(rgb(0 0 0 / 0.12), rgb(0 0 0 / 0.5));
}

.menu legend {
  padding: 0;
  margin-bottom: var(--space-1);
  color: var(--muted);
  font-size: var(--text-1);
}

.actions {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: var(--space-2);
}

details.more > summary {
  width: fit-content;
  min-height: 1.5rem;
  cursor: pointer;
  color: var(--muted);
}

details.more > summary:hover {
  color: var(--text);
}

pre {
  margin: 0;
  padding: var(--space-3);
  background: var(--sunken);
  border-radius: var(--radius);
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  line-height: 1.55;
}

pre.log {
  padding: var(--space-3) var(--space-4);
  background: var(--surface);
}

pre .at {
  color: var(--muted);
}

.command {
  display: flex;
  align-items: flex-start;
  gap: var(--space-2);
}

.command pre {
  flex: 1;
  min-width: 0;
}
`;
