/** Style sheet: icons, states, tags and names of models. */
export const STATES = `
/* Icons: a shape for each state, so that colour is never the only signal */

.icon {
  flex: none;
  width: 0.875rem;
  height: 0.875rem;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.75;
  stroke-linecap: round;
  stroke-linejoin: round;
  vertical-align: -0.125rem;
}

.icon .solid {
  fill: currentColor;
  stroke: none;
}

.icon.spin {
  animation: turn 1.6s linear infinite;
}

@keyframes turn {
  to {
    transform: rotate(1turn);
  }
}

/* State: icon and word */

.state {
  white-space: nowrap;
}

.state .icon {
  margin-right: 0.375rem;
}

.state[data-kind="run"] {
  color: var(--accent);
}

.state[data-kind="ok"] .icon {
  color: var(--ok);
}

.state[data-kind="done"] {
  color: var(--muted);
}

.state[data-kind="warn"] {
  color: var(--warn);
}

.state[data-kind="bad"] {
  color: var(--bad);
}

.state[data-kind="off"] {
  color: var(--muted);
}

/* Tag: a fact beside a row, never an alarm */

.tags {
  display: inline-flex;
  gap: var(--space-1);
}

.tag {
  padding: 0 0.375rem;
  border: 1px solid var(--line-strong);
  border-radius: 3px;
  color: var(--muted);
  font-size: var(--text-1);
  line-height: 1.125rem;
  white-space: nowrap;
}

.tag.warn {
  border-color: currentColor;
  color: var(--warn);
}

.tag.bad {
  border-color: currentColor;
  color: var(--bad);
}

/* Model name: the author's part gives way first */

.model {
  display: inline-flex;
  max-width: 100%;
  min-width: 0;
  vertical-align: bottom;
  white-space: nowrap;
}

.model .author {
  flex: 0 1 auto;
  min-width: 1.75em;
  overflow: hidden;
  text-overflow: ellipsis;
  color: var(--muted);
}

.model .name {
  flex: 0 0 auto;
  max-width: 100%;
  overflow: hidden;
  text-overflow: ellipsis;
}

.route {
  display: flex;
  align-items: baseline;
  gap: 0.375rem;
  min-width: 0;
  white-space: nowrap;
}

.route > a,
.route > .model {
  display: flex;
  min-width: 0;
}

.route .asked {
  flex: none;
  color: var(--muted);
}
`;
