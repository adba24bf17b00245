import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ToolError } from "../../../tools/errors.ts";
import { codeFolders } from "../../../tools/host/code_folders.ts";
import { findWorkspace } from "../../../tools/host/workspace.ts";

const top = realpathSync(mkdtempSync(join(tmpdir(), "root-")));
after(() => rmSync(top, { recursive: true }));
const work = join(top, "work");
const code = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");
mkdirSync(join(work, "sub"), { recursive: true });
mkdirSync(join(top, "state"));
symlinkSync(join(work, "sub"), join(top, "link-into"));
symlinkSync(work, join(top, "link"));
symlinkSync(code, join(top, "link-to-code"));

const STATE = /^Cannot use WORKSPACE_ROOT ".*": STATE_DIR is in it/;
const CODE = /^Cannot use WORKSPACE_ROOT ".*": the gateway's own code is in it/;

/** Workspaces, and the reason why they are rejected. */
const CASES: [what: string, root: string, writable: boolean, stateDir: string | undefined, why?: RegExp][] = [
  ["no state", work, true, undefined],
  ["state beside it", work, true, join(top, "state")],
  ["state in a folder whose name begins alike", work, true, join(top, "work-state")],
  ["state above it", work, true, top],
  ["state in it", work, false, join(work, "state"), STATE],
  ["state that is it", work, false, work, STATE],
  ["state that does not exist yet", work, false, join(work, "a/b/c"), STATE],
  ["state by a link", work, false, join(top, "link-into/state"), STATE],
  ["state by dots", work, false, join(top, "state") + "/../work/state", STATE],
  ["a workspace by a link", join(top, "link"), false, join(work, "state"), STATE],
  ["the gateway's code, to read", code, false, undefined],
  ["the gateway's code, to write", code, true, undefined, CODE],
  ["a folder above the gateway's code", dirname(code), true, undefined, CODE],
  ["the gateway's code by a link", join(top, "link-to-code"), true, undefined, CODE],
  ["a folder of the gateway's code", join(code, "tools/host"), true, undefined, CODE],
  ["a folder beside the gateway's code", join(code, "docs"), true, undefined],
];

for (const [what, root, writable, stateDir, why] of CASES) {
  test(`findWorkspace() ${why === undefined ? "accepts" : "rejects"} ${what}`, async () => {
    const found = findWorkspace(root, { writable, stateFolders: { STATE_DIR: stateDir } });
    if (why === undefined) assert.equal(await found, realpathSync(root));
    else await assert.rejects(found, (error) => error instanceof ToolError && why.test(error.message));
  });
}

/** Places where a gateway is installed, and a folder with code that runs with it. */
const INSTALLED: [installed: string, folders: string[]][] = [
  ["/src/gateway", ["lib", "tools", "build", "dist", "node_modules"].map((name) => `/src/gateway/${name}`)],
  ["/app/node_modules/openrouter-anthropic-server", ["/app/node_modules"]],
  ["/app/node_modules/@scope/gateway", ["/app/node_modules"]],
  ["/app/node_modules/.pnpm/gateway@1.0.0/node_modules/gateway", ["/app/node_modules"]],
];

for (const [installed, folders] of INSTALLED) {
  test(`codeFolders() returns the folders with the code of ${installed}`, () => {
    assert.deepEqual(codeFolders(installed), folders);
  });
}

const CONFIG = /^Cannot use WORKSPACE_ROOT ".*": MCP_CONFIG is in it/;

/** Configurations of MCP servers, and the reason why they are rejected. */
const CONFIGS: [what: string, mcpConfig: string, writable: boolean, why?: RegExp][] = [
  ["beside the workspace", join(top, "servers.json"), true],
  ["in a workspace that tools only read", join(work, "servers.json"), false],
  ["in it under the protected name", join(work, ".mcp.json"), true],
  ["in it", join(work, "servers.json"), true, CONFIG],
  ["in a folder of it", join(work, "sub/servers.json"), true, CONFIG],
  ["in it by a link", join(top, "link-into/servers.json"), true, CONFIG],
];

for (const [what, mcpConfig, writable, why] of CONFIGS) {
  test(`findWorkspace() ${why === undefined ? "accepts" : "rejects"} MCP_CONFIG ${what}`, async () => {
    const found = findWorkspace(work, { writable, mcpConfig });
    if (why === undefined) assert.equal(await found, work);
    else await assert.rejects(found, { name: "ToolError", message: why });
  });
}
