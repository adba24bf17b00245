import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { startWeb, type TestWeb, toWebSettings } from "../../end_to_end/tools/network.ts";
import { CLIENT_KEY, GATEWAY_KEY, setUpTestbed, type Testbed } from "../kit/testbed.ts";

/** The servers and the folder of tests of the gateway's tools. */
export interface ToolTestbed extends Testbed {
  /** A page, and a SearXNG that finds it; filled before the first test runs. */
  readonly web: TestWeb;
  readonly workspace: string;
  put(name: string, content: string): void;
  read(name: string): string;
}

/** Sets up a gateway that runs tools, with a workspace and a web server. */
export function setToolStage(): ToolTestbed {
  const workspace = mkdtempSync(join(tmpdir(), "workspace-"));
  let web: TestWeb | undefined;
  const settings = async () => {
    web = await startWeb();
    return {
      TOOLS: "files-read,files-write,network",
      WORKSPACE_ROOT: workspace,
      GATEWAY_API_KEYS: `client:${CLIENT_KEY}`,
      ...toWebSettings(web, "searxng"),
    };
  };
  const testbed = setUpTestbed({ key: GATEWAY_KEY, settings });
  after(async () => {
    await web?.close();
    rmSync(workspace, { recursive: true, force: true });
  });
  return {
    workspace,
    get web() {
      if (web === undefined) throw new Error("Cannot use the web: no test is running");
      return web;
    },
    get upstream() {
      return testbed.upstream;
    },
    get url() {
      return testbed.url;
    },
    sent: (at) => testbed.sent(at),
    wrote: (pattern) => testbed.wrote(pattern),
    put: (name, content) => writeFileSync(join(workspace, name), content),
    read: (name) => readFileSync(join(workspace, name), "utf8"),
  };
}
