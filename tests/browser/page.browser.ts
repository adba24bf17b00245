// The operator's page in Debian's Chromium. The program runs on Node.js only; without a Chromium the tests are skipped.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { createGateway } from "../../lib/gateway.ts";
import { VIEWS } from "../../lib/page/views.ts";
import { type RunningServer, serve } from "../../lib/runtime/http/serve.ts";
import { createTraffic, type GatewayWithTraffic } from "./traffic.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(executablePath)
  ? false
  : `no Chromium at ${executablePath}: apt-get install chromium`;

const ADMIN_KEY = "admin-key-0123456789";
const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"] as const;

let browser: Browser;
let traffic: GatewayWithTraffic;
let server: RunningServer;
/** A gateway without requests and without keys. */
let empty: RunningServer;

before(async () => {
  if (skip !== false) return;
  traffic = await createTraffic({ GATEWAY_ADMIN_KEY: ADMIN_KEY });
  server = await serve({ fetch: traffic.gateway.fetch }, { port: 0, host: "127.0.0.1" });
  empty = await serve({ fetch: createGateway({ host: "127.0.0.1" }).fetch }, { port: 0, host: "127.0.0.1" });
  // In a container, tests run as root, and Chromium's sandbox does not support root.
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  await traffic?.endRunning();
  await Promise.all([server?.stop(), empty?.stop()]);
});

/** Runs a test on a new page, and fails if the browser writes to its console. */
async function withPage(
  run: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const messages: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    await run(page);
    assert.deepEqual(messages, []);
  } finally {
    await context.close();
  }
}

async function signIn(page: Page, base = server.url): Promise<void> {
  await page.goto(`${base}/console`);
  await page.locator("#key").fill(ADMIN_KEY);
  await page.locator("#key").press("Enter");
  await page.locator("#part-sentence").waitFor();
  await page.waitForLoadState(); // the script has run
}

/** Rules of axe-core that depend on colours. The others find the same in each theme. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** Returns the violations that axe-core finds by all rules, or by the given ones. */
async function findFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (runOnly) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        resultTypes: ["violations"],
        ...(runOnly && { runOnly }),
      }),
    rules && [...rules],
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`)
  );
}

/** Fails if a page scrolls sideways, or axe-core finds a fault, at any width, in any theme. */
async function checkEverywhere(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const [nth, colorScheme] of THEMES.entries()) {
      await page.emulateMedia({ colorScheme });
      const excess = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth
      );
      assert.equal(excess, 0, `${page.url()} scrolls sideways at ${width} px`);
      const rules = nth === 0 ? undefined : COLOUR_RULES;
      assert.deepEqual(await findFaults(page, rules), [], `${page.url()} at ${width} px, ${colorScheme}`);
    }
  }
}

/** Returns the address of the first request with a state. */
async function findRequest(page: Page, status: string): Promise<string> {
  await page.goto(`${server.url}/console/?status=${status}`);
  return await page.locator("[data-rows] th[scope=row] a").first().getAttribute("href") ?? "";
}

const PAGES: [name: string, find: (page: Page) => Promise<string> | string][] = [
  ...VIEWS.filter(({ hidden }) => !hidden).map((
    { name, label },
  ): typeof PAGES[number] => [label, () => name]),
  ["Now without a result", () => "?key=nobody"],
  ["a finished request", (page) => findRequest(page, "Finished")],
  ["a failed request", (page) => findRequest(page, "Failed")],
  ["a request that runs", (page) => findRequest(page, "Running")],
  ["a group of errors", async (page) => {
    await page.goto(`${server.url}/console/errors`);
    return await page.locator("th[scope=row] a").first().getAttribute("href") ?? "";
  }],
];

for (const [name, find] of PAGES) {
  test(`${name} has no fault at any width, in any theme`, { skip }, () =>
    withPage(async (page) => {
      await signIn(page);
      await page.goto(`${server.url}/console/${await find(page)}`);
      await checkEverywhere(page);
    }));
}

for (const { name, label } of VIEWS.filter(({ hidden }) => !hidden)) {
  test(
    `${label} of a new gateway has no fault at any width, in any theme`,
    { skip },
    () =>
      withPage(async (page) => {
        await page.goto(`${empty.url}/console/${name}`);
        await checkEverywhere(page);
      }),
  );
}

test(
  "the sign-in form, an open menu and the list of shortcuts have no fault",
  { skip },
  () =>
    withPage(async (page) => {
      await page.goto(`${server.url}/console/`);
      await checkEverywhere(page);
      await signIn(page);
      await page.locator(".menu > summary").click();
      await checkEverywhere(page);
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await page.locator("#shortcuts[open]").waitFor();
      await checkEverywhere(page);
    }),
);

test("axe-core finds planted faults", { skip }, () =>
  withPage(async (page) => {
    await signIn(page);
    await page.evaluate(() => {
      const button = document.createElement("button");
      const text = document.createElement("p");
      text.style.color = "color-mix(in srgb, Canvas 80%, CanvasText)";
      text.textContent = "Too pale";
      document.querySelector("main")?.append(button, text);
    });
    assert.match((await findFaults(page)).join(), /button-name/);
    assert.match((await findFaults(page, COLOUR_RULES)).join(), /color-contrast/);
  }));

test("the page can be used with only the keyboard", { skip }, () =>
  withPage(async (page) => {
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
    await page.goto(`${server.url}/console/`);
    await page.keyboard.press("Tab");
    await page.keyboard.type(ADMIN_KEY);
    await page.keyboard.press("Enter");
    await page.locator("#part-sentence").waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    assert.match(await focused() ?? "", /llama-4-maverick/);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/console/request?id=*");
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForURL("**/console/errors");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/console/errors?group=*");
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await page.waitForURL("**/console/");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "model");
    // Shortcuts do not work within a field.
    await page.locator("[name=id]").focus();
    await page.keyboard.type("ge?");
    assert.equal(await page.locator("[name=id]").inputValue(), "ge?");
    // Every element that can have the focus shows it.
    await page.goto(`${server.url}/console/`);
    for (let nth = 0; nth < 25; nth++) {
      await page.keyboard.press("Tab");
      const outline = await page.evaluate(() => {
        const element = document.activeElement;
        const shown = element?.matches(".segment input") ? element.parentElement : element;
        return shown && shown !== document.body ? getComputedStyle(shown).outlineStyle : "none";
      });
      assert.notEqual(outline, "none", `element ${nth} shows no focus`);
    }
  }));

test("the parts of Now change while it is open, without a reload", { skip }, () =>
  withPage(async (page) => {
    await signIn(page);
    await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
    const rows = page.locator("#part-finished th[scope=row]");
    const count = await rows.count();
    await (await traffic.send({ model: "demo/echo" })).text();
    await page.waitForFunction(
      (count) => document.querySelectorAll("#part-finished th[scope=row]").length > count,
      count,
    );
    assert.match(await page.title(), /^Now: 1 running/);
    assert.equal(await page.evaluate(() => "isSame" in globalThis), true);
    assert.equal(await page.locator("#live").getAttribute("data-state"), "live");
  }));

/** Ways to start and to stop using a part of the page. */
const USES: [name: string, start: (page: Page) => Promise<void>, stop: (page: Page) => Promise<void>][] = [
  ["the focus", async (page) => {
    await page.locator("#part-finished a").first().focus();
  }, async (page) => {
    await page.locator("#main").focus();
  }],
  ["the pointer", async (page) => {
    await page.locator("#part-finished th[scope=row]").first().hover();
  }, async (page) => {
    await page.mouse.move(1, 300);
  }],
  ["a selection", async (page) => {
    await page.evaluate(() => {
      const cell = document.querySelector("#part-finished th[scope=row] a");
      if (cell) getSelection()?.selectAllChildren(cell);
    });
  }, async (page) => {
    await page.evaluate(() => getSelection()?.removeAllRanges());
  }],
];

for (const [name, start, stop] of USES) {
  test(`a part with ${name} is not updated before the use ends`, { skip }, () =>
    withPage(async (page) => {
      await signIn(page);
      await page.waitForFunction(() =>
        document.querySelector("#live")?.getAttribute("data-state") === "live"
      );
      await start(page);
      const mark = () =>
        page.evaluate(() => document.querySelector("#part-finished")?.setAttribute("data-mark", ""));
      await mark();
      const figures = await page.locator("#part-sentence").textContent();
      await (await traffic.send({ model: "demo/echo" })).text();
      // Another part is updated meanwhile, and the button shows that this one is not.
      await page.waitForFunction(
        (text) => document.querySelector("#part-sentence")?.textContent !== text,
        figures,
      );
      await page.locator("#held").waitFor();
      assert.equal(await page.locator("#part-finished[data-mark]").count(), 1);
      await stop(page);
      await page.locator("#part-finished:not([data-mark])").waitFor();
      await page.locator("#held").waitFor({ state: "hidden" });
    }));
}

test(
  "live updates can be paused, and what was missed is taken in after it",
  { skip },
  () =>
    withPage(async (page) => {
      await signIn(page);
      await page.keyboard.press("p");
      await page.locator("#live[data-state=paused]").waitFor();
      const before = await page.locator("#part-sentence").textContent();
      for (let nth = 0; nth < 2; nth++) await (await traffic.send({ model: "demo/echo" })).text();
      await page.locator("#held", { hasText: "Show 2 new" }).waitFor();
      assert.equal(await page.locator("#part-sentence").textContent(), before);
      await page.locator("#pause").click();
      await page.waitForFunction(
        (text) => document.querySelector("#part-sentence")?.textContent !== text,
        before,
      );
    }),
);

test("times are in the viewer's zone, and the footer names it", { skip }, () =>
  withPage(async (page) => {
    await signIn(page);
    assert.equal(await page.locator("[data-zone]").first().textContent(), "Asia/Tokyo");
    const time = page.locator("#part-finished time").first();
    const iso = await time.getAttribute("datetime") ?? "";
    const expected = new Date(Date.parse(iso) + 9 * 3_600_000).toISOString().slice(11, 19);
    assert.equal(await time.textContent(), expected);
    assert.match(await time.getAttribute("title") ?? "", /\(Asia\/Tokyo\); .*Z$/);
  }, { timezoneId: "Asia/Tokyo" }));

test("the theme is chosen in the menu, and kept", { skip }, () =>
  withPage(async (page) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await signIn(page);
    const light = await background();
    await page.locator(".menu > summary").click();
    await page.getByText("Dark", { exact: true }).click();
    const dark = await background();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await background(), dark);
  }, { colorScheme: "light" }));

test(
  "without script, everything can be read and every action works",
  { skip },
  () =>
    withPage(async (page) => {
      await signIn(page);
      assert.match(await page.locator("#live").innerText(), /As of \d\d:\d\d:\d\d UTC\. Reload/);
      await page.locator("[name=status]").selectOption("Failed");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.waitForURL("**/console/?*status=Failed*");
      assert.match(await page.locator("[data-rows]").innerText(), /529/);
      await page.locator("[data-rows] th[scope=row] a").first().click();
      assert.match(await page.locator("h1").innerText(), /^req_/);
      await page.goto(`${server.url}/console/errors`);
      await page.locator("th[scope=row] a", { hasText: "overloaded_error" }).click();
      await page.getByRole("button", { name: "Mark as resolved" }).click();
      await page.getByRole("button", { name: "Reopen" }).click();
      await page.getByRole("button", { name: "Mark as resolved" }).waitFor();
      for (const { name } of VIEWS.filter(({ hidden }) => !hidden)) {
        await page.goto(`${server.url}/console/${name}`);
        assert.ok((await page.locator(".lede").innerText()).length > 10);
        assert.equal(await page.locator("[data-script]:visible").count(), 0, "what needs a script is shown");
      }
      await page.locator(".menu > summary").click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.locator("#key").waitFor();
    }, { javaScriptEnabled: false }),
);

test("the page works under a prefix", { skip }, async () => {
  const proxy = await serve({
    fetch: (request) => {
      const url = request.url.replace("/some/prefix", "");
      return traffic.gateway.fetch(new Request(url, request));
    },
  }, { port: 0, host: "127.0.0.1" });
  try {
    await withPage(async (page) => {
      const base = `${proxy.url}/some/prefix`;
      await signIn(page, base);
      await page.locator("#live[data-state=live]").waitFor();
      await page.keyboard.press("g");
      await page.keyboard.press("e");
      await page.waitForURL(`${base}/console/errors`);
      await page.goto(`${base}/console/`);
      await page.locator(".menu > summary").click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForURL(`${base}/console/sign-in`);
    });
  } finally {
    await proxy.stop();
  }
});

test("Now of a new gateway shows its first request, without a reload by hand", { skip }, async () => {
  const gateway = createGateway({ host: "127.0.0.1" });
  const own = await serve({ fetch: gateway.fetch }, { port: 0, host: "127.0.0.1" });
  try {
    await withPage(async (page) => {
      await page.goto(`${own.url}/console/`);
      await page.getByText("Send the first request").waitFor();
      const response = await fetch(`${own.url}/v1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "demo/echo",
          max_tokens: 9,
          messages: [{ role: "user", content: "Hi" }],
        }),
      });
      await response.text();
      await page.locator("#part-finished th[scope=row]").waitFor();
    });
  } finally {
    await own.stop();
  }
});

test("a page whose session has ended shows the sign-in", { skip }, () =>
  withPage(async (page) => {
    await signIn(page);
    await page.locator("#live[data-state=live]").waitFor();
    const other = await page.context().newPage();
    await other.goto(`${server.url}/console/`);
    await other.locator(".menu > summary").click();
    await other.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#live a", { hasText: "Sign in" }).click();
    await page.locator("#key").waitFor();
  }));

test("the page reports a lost connection, keeps its data, and connects again", { skip }, async () => {
  let gateway = createGateway({ host: "127.0.0.1" });
  const restarting = await serve({ fetch: (request) => gateway.fetch(request) }, {
    port: 0,
    host: "127.0.0.1",
  });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${restarting.url}/console/`);
    await page.locator("#live[data-state=live]").waitFor();
    await gateway.stop();
    await page.locator("#live[data-state=lost]").waitFor();
    assert.match(await page.locator("#said").innerText(), /^Connection lost/);
    assert.match(await page.locator("#part-sentence").innerText(), /No request yet/);
    gateway = createGateway({ host: "127.0.0.1" });
    await page.locator("#live[data-state=live]").waitFor();
  } finally {
    await context.close();
    await restarting.stop();
  }
});
