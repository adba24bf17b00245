import assert from "node:assert/strict";
import { readToken } from "../../page/viewer.ts";
import { serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { ADMIN, type ManagedGateway, withManagedServers } from "./gateway.ts";

const SECRET = "0123456789-secret";

/** The operator's page, signed in. */
async function openPage({ fetch }: ManagedGateway) {
  const post = (path: string, fields: Record<string, string>, cookie = "") =>
    fetch(
      new Request(`http://gateway.test/console/${path}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", cookie },
        body: new URLSearchParams(fields),
      }),
    );
  const session = await post("sign-in", { key: ADMIN, next: "" });
  const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  const read = async (path: string) => {
    const response = await fetch(new Request(`http://gateway.test/console/${path}`, { headers: { cookie } }));
    const text = await response.text();
    assert.ok(!text.includes(SECRET), "a secret is shown");
    return text;
  };
  return { read, post: (fields: Record<string, string>) => post("tools", fields, cookie) };
}

/** Returns the state of a server in its row. */
function stateOf(page: string, name: string): string | undefined {
  const row = page.split("<tr>").find((part) => part.includes(`>${name}</a>`));
  return /<span class="word">([^<]*)/.exec(row ?? "")?.[1];
}

withManagedServers("POST /console/tools starts, restarts and stops a server with the page's token", () => ({
  servers: {
    good: { ...serverCommand(), env: { SERVER_KEY: SECRET } },
    bad: {
      ...serverCommand("fail", "--token", SECRET),
      env: { SERVER_KEY: SECRET },
      restart_policy: "never",
    },
  },
  async run(gateway) {
    const { read, post } = await openPage(gateway);
    const page = await read("tools");
    assert.equal(stateOf(page, "good"), "Stopped");
    assert.match(page, /No MCP server runs;/);
    const token = readToken(page);

    for (const wrong of ["", "0123456789abcdef", token.toUpperCase()]) {
      const response = await post({ token: wrong, action: "start", server: "good" });
      assert.equal(response.status, 403, wrong);
    }
    assert.equal(stateOf(await read("tools"), "good"), "Stopped", "no form without the token starts it");

    for (
      const [action, state] of [["start", "Running"], ["restart", "Running"], ["stop", "Stopped"]] as const
    ) {
      const response = await post({ token, action, server: "good" });
      assert.deepEqual(
        [response.status, response.headers.get("location")],
        [303, "tools?server=good"],
        action,
      );
      assert.equal(stateOf(await read("tools?server=good"), "good"), state, action);
    }

    const refused = await post({ token, action: "start", server: "bad" });
    const address = refused.headers.get("location") ?? "";
    assert.equal(address, "tools?server=bad&failed=start");
    const failed = await read(address);
    assert.match(failed, /Cannot start/);
    assert.match(failed, /1 of 2 MCP servers needs attention/);
    assert.match(failed, /id="log">Log of bad</);
    assert.equal(stateOf(failed, "bad"), "Failed");

    assert.equal((await post({ token, action: "start", server: "unknown" })).status, 404);
    assert.equal((await post({ token, action: "constructor", server: "good" })).status, 404);
  },
}));
