/** Style sheet: elements. */
export const BASE = `
/* Base */

*,
*::before,
*::after {
  box-sizing: border-box;
}

[hidden] {
  display: none !important;
}

html {
  font: 400 100%/1.5 var(--sans);
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
  scroll-padding-top: calc(var(--header) + var(--row) + var(--space-2));
}

body {
  margin: 0;
  min-height: 100vh;
  display: flex;
  flex-direction: column;
  background: var(--bg);
  color: var(--text);
  font-size: var(--text-2);
  font-variant-numeric: tabular-nums;
  overflow-wrap: break-word;
}

h1,
h2,
h3,
p,
ol,
ul,
dl,
dd,
figure,
fieldset,
table {
  margin: 0;
  padding: 0;
}

ol,
ul {
  list-style: none;
}

fieldset {
  border: 0;
  min-width: 0;
}

h1 {
  font-size: var(--text-5);
  font-weight: 600;
  line-height: 1.25;
  letter-spacing: -0.012em;
}

h2 {
  font-size: var(--text-3);
  font-weight: 600;
  line-height: 1.4;
}

h3 {
  font-size: var(--text-2);
  font-weight: 600;
}

a {
  color: inherit;
  text-decoration: underline;
  text-decoration-color: var(--line-strong);
  text-underline-offset: 0.2em;
}

a:hover {
  color: var(--accent);
  text-decoration-color: currentColor;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
  border-radius: 2px;
}

code,
kbd,
samp,
pre,
.mono {
  font-family: var(--mono);
  font-size: 0.923em;
  font-variant-ligatures: none;
}

code {
  overflow-wrap: anywhere;
}

kbd {
  padding: 0 var(--space-1);
  border: 1px solid var(--line-strong);
  border-radius: 3px;
  background: var(--sunken);
}

.muted {
  color: var(--muted);
}

.nowrap {
  white-space: nowrap;
}

.sr {
  position: absolute;
  width: 1px;
  height: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.skip {
  position: fixed;
  top: var(--space-2);
  left: var(--space-2);
  z-index: 10;
  padding: var(--space-2) var(--space-3);
  background: var(--accent);
  color: var(--on-accent);
  border-radius: var(--radius);
  transform: translateY(-200%);
}

.skip:focus {
  transform: none;
  color: var(--on-accent);
}
`;
