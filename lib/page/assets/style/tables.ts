/** Style sheet: tables. */
export const TABLES = `
/* Tables */

.scroll {
  overflow: clip;
}

table {
  width: 100%;
  border-collapse: separate;
  border-spacing: 0;
  font-size: var(--text-2);
}

th,
td {
  padding: 0.3125rem var(--space-3);
  text-align: left;
  vertical-align: baseline;
  font-weight: 400;
}

thead th {
  color: var(--muted);
  font-size: var(--text-1);
  white-space: nowrap;
  border-bottom: 1px solid var(--line);
  background: var(--surface);
}

thead th a {
  display: inline-flex;
  gap: 0.25rem;
  align-items: center;
  min-height: 1.5rem;
  text-decoration: none;
}

thead th[aria-sort] a {
  color: var(--text);
  font-weight: 600;
}

table.pinned thead th {
  position: sticky;
  top: var(--header);
  z-index: 2;
}

tbody tr:not(:last-child) > *,
tbody:not(:last-child) tr > * {
  border-bottom: 1px solid var(--line);
}

tbody tr:hover > :not(.group) {
  background: var(--hover);
}

tbody a {
  text-decoration-color: transparent;
}

tbody a:hover {
  text-decoration-color: currentColor;
}

tr[aria-current] > * {
  background: var(--accent-bg);
}

th.group {
  padding-top: var(--space-3);
  background: var(--surface);
  color: var(--muted);
  font-size: var(--text-1);
}

th.group strong {
  color: var(--text);
  font-weight: 600;
}

tbody:first-of-type th.group {
  padding-top: 0.4375rem;
}

.num {
  text-align: right;
  white-space: nowrap;
}

.fit {
  width: 1%;
  white-space: nowrap;
}

.cut {
  width: 100%;
  max-width: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.key {
  max-width: 9rem;
  overflow: hidden;
  text-overflow: ellipsis;
}

tbody th:not(.fit) {
  overflow-wrap: anywhere;
}

.sub {
  display: block;
  color: var(--muted);
  font-size: var(--text-1);
}

tfoot th,
tfoot td {
  border-top: 1px solid var(--line-strong);
  font-weight: 600;
}

.swatch {
  display: inline-block;
  width: 0.625rem;
  height: 0.625rem;
  margin-right: var(--space-2);
  border-radius: 2px;
  vertical-align: 0;
}

/* What a table says only while other columns are hidden */
.narrow,
.actions.narrow,
.under-l {
  display: none;
}
`;
