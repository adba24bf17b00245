/**
 * The page's script, a module. The page can be read and used without it; with it, times are in the viewer's zone, parts
 * are swapped as the event stream says, and there are shortcuts and buttons that copy.
 *
 * A part that contains the focus or a selection, or is under the pointer, is not swapped until it does no longer; a
 * button and the key `p` take the new parts in before.
 */
export const SCRIPT = `const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const formats = {
  time: new Intl.DateTimeFormat(undefined, { ...CLOCK, second: "2-digit" }),
  minute: new Intl.DateTimeFormat(undefined, CLOCK),
  full: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }),
  other: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...CLOCK }),
};
const one = (selector) => document.querySelector(selector);
const all = (selector, root = document) => root.querySelectorAll(selector);

function say(text) {
  const said = one("#said");
  if (said) said.textContent = text;
}

// Times in the viewer's zone, and what only works with script.
function prepare(root) {
  const today = new Date().toDateString();
  for (const time of all("time[data-as]", root)) {
    const date = new Date(time.dateTime);
    const isToday = date.toDateString() === today;
    const form = time.dataset.as === "short" ? (isToday ? "minute" : "other") : time.dataset.as;
    time.textContent = formats[form].format(date);
    time.title = formats.full.format(date) + " (" + zone + "); " + date.toISOString();
  }
  for (const element of all("[data-zone]", root)) element.textContent = zone;
  for (const element of all("[data-script]", root)) element.hidden = false;
}
prepare(document);

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button === null) return;
  const isCopied = await navigator.clipboard?.writeText(button.dataset.copy).then(() => true, () => false);
  say(isCopied ? "Copied " + (button.dataset.name ?? "to the clipboard") : "Cannot copy: the browser refuses it");
});

document.addEventListener("change", ({ target }) => {
  if (target.name === "theme") {
    const seconds = target.value === "auto" ? 0 : 31536000;
    document.cookie = "console-theme=" + target.value + "; max-age=" + seconds + "; samesite=strict";
  } else if (target.id === "shortcuts-off" || target.id === "shortcuts-on") {
    localStorage.setItem("console-shortcuts", target.value);
  } else target.closest("form[data-apply]")?.requestSubmit();
});

// A menu closes with Escape, and when the focus leaves it.
for (const menu of all("details.menu")) {
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget !== null && !menu.contains(relatedTarget)) menu.open = false;
  });
}

const shortcutsOff = one("#shortcuts-off");
if (shortcutsOff && localStorage.getItem("console-shortcuts") === "off") shortcutsOff.checked = true;
let going = false;

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  const menu = one("details.menu[open]");
  if (key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (ctrlKey || metaKey || altKey || target.closest?.("input, select, textarea, [contenteditable]")) return;
  if (shortcutsOff === null || shortcutsOff.checked) return;
  const rows = [...all("[data-rows] tbody th[scope=row] a")];
  const here = rows.indexOf(document.activeElement);
  const link = going && [...all("a[data-go]")].find(({ dataset }) => dataset.go === key);
  going = key === "g";
  if (link) link.click();
  else if (key === "?") one("#shortcuts")?.showModal();
  else if (key === "/") one("[data-filter]")?.focus();
  else if (key === "j") rows[Math.min(here + 1, rows.length - 1)]?.focus();
  else if (key === "k") rows[Math.max(here - 1, 0)]?.focus();
  else if (key === "c") one("[data-copy-first]")?.click();
  else if (key === "p") one("#pause") ? one("#pause").click() : setPaused(!paused);
  else return;
  event.preventDefault();
});

// Live updates.
const RETRY_SECONDS = [1, 2, 5];
const LOST_MS = 3000;
const held = new Map();
let paused = false;
let source;
let failures = 0;
let lostTimer;

function isUsed(element) {
  const selection = getSelection();
  const isSelected = selection !== null && !selection.isCollapsed && selection.rangeCount > 0 &&
    selection.getRangeAt(0).intersectsNode(element);
  return element.contains(document.activeElement) || isSelected || element.matches(":hover");
}

function swap(id, html) {
  const element = document.getElementById(id);
  if (element === null) return;
  // A row of a table is parsed as such within a template only.
  const template = document.createElement("template");
  template.innerHTML = html;
  const next = template.content.firstElementChild;
  if (next === null) return;
  for (const details of all("details[open][id]", element)) {
    const same = next.querySelector("#" + CSS.escape(details.id));
    if (same) same.open = true;
  }
  element.replaceWith(next);
  prepare(next);
}

// Number of the rows of held parts that the page does not show.
function countNew() {
  const linksOf = (root) => [...all("th[scope=row] a", root)].map((link) => link.getAttribute("href"));
  const shown = new Set(linksOf(document));
  const template = document.createElement("template");
  const links = [...held.values()].flatMap((html) => {
    template.innerHTML = html;
    return linksOf(template.content);
  });
  return [...new Set(links)].filter((link) => !shown.has(link)).length;
}

function showHeld() {
  const button = one("#held");
  if (button === null) return;
  button.hidden = held.size === 0;
  const count = countNew();
  button.textContent = count === 0 ? "Show new" : "Show " + count + " new";
}

function release(isForced) {
  for (const [id, html] of held) {
    const element = document.getElementById(id);
    if (!isForced && (paused || (element !== null && isUsed(element)))) continue;
    held.delete(id);
    swap(id, html);
  }
  showHeld();
}
for (const event of ["focusout", "pointerout", "selectionchange"]) {
  document.addEventListener(event, () => held.size > 0 && setTimeout(() => release(false)));
}
one("#held")?.addEventListener("click", () => release(true));

function setState(state, word) {
  const live = one("#live");
  if (live === null || live.dataset.state === state) return;
  live.dataset.state = state;
  for (const shape of all("[data-shape]", live)) shape.hidden = shape.dataset.shape !== state;
  one("#live-word").textContent = word;
}

function setPaused(next) {
  if (source === undefined) return;
  paused = next;
  const button = one("#pause");
  if (button) {
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Continue" : "Pause";
  }
  setState(paused ? "paused" : "live", paused ? "Paused" : "Live");
  say(paused ? "Live updates are paused" : "Live updates continue");
  if (!paused) release(true);
}
one("#pause")?.addEventListener("click", () => setPaused(!paused));

function setLost() {
  if (one("#live")?.dataset.state === "lost") return;
  const since = formats.time.format(new Date());
  setState("lost", "Connection lost at " + since);
  say("Connection lost. The page shows what was known at " + since);
}

function setConnected() {
  clearTimeout(lostTimer);
  lostTimer = undefined;
  failures = 0;
  if (one("#live")?.dataset.state === "lost") say("Connected again");
  setState(paused ? "paused" : "live", paused ? "Paused" : "Live");
}

function setSignedOut() {
  clearTimeout(lostTimer);
  setState("lost", "Session ended");
  say("The session has ended");
  const link = document.createElement("a");
  link.href = "sign-in";
  link.textContent = "Sign in";
  one("#live")?.append(link);
}

function connect(address) {
  source = new EventSource(address);
  source.addEventListener("open", setConnected);
  source.addEventListener("part", ({ data }) => {
    const { id, html } = JSON.parse(data);
    const element = document.getElementById(id);
    // A part that the page does not have: it was empty, or filtered, when it was loaded.
    if (element === null) return !paused && document.activeElement === document.body && location.reload();
    if (!paused && !isUsed(element)) {
      held.delete(id);
      swap(id, html);
    } else held.set(id, html);
    showHeld();
  });
  source.addEventListener("title", ({ data }) => {
    document.title = JSON.parse(data);
  });
  source.addEventListener("end", ({ data }) => {
    source.close();
    if (JSON.parse(data) === "finished") setState("still", "Finished");
    else setSignedOut();
  });
  source.addEventListener("error", async () => {
    source.close();
    lostTimer ??= setTimeout(setLost, LOST_MS);
    const seconds = RETRY_SECONDS[Math.min(failures++, RETRY_SECONDS.length - 1)];
    // A gateway that has started again does not know the session.
    const response = failures > 1 ? await fetch(address, { method: "HEAD" }).catch(() => undefined) : undefined;
    if (response?.status === 401) setSignedOut();
    else setTimeout(() => connect(address), seconds * 1000);
  });
}
if (document.body.dataset.stream !== undefined) connect(document.body.dataset.stream);
// A page that the browser keeps for the way back must not keep its stream.
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
`;
