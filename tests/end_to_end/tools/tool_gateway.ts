import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import type { Settings } from "../../../lib/config/settings.ts";
import { createModel, type ScriptedModel, SMALL } from "./model.ts";
import type { FakeClock } from "../../kit/clock.ts";
import { foldEvents, parseEvents } from "../../kit/events.ts";
import { createTestGateway, type TestRequestOptions } from "../../kit/gateway.ts";
import { checkComplete } from "../../kit/grammar.ts";
import { asJson, type Json, type Wire } from "../../kit/json.ts";

/** The key of the client, whose name is `alice`. */
export const KEY = "key-of-alice-1234567890";

/** A toolset of all enabled tools of the gateway. */
export const WORKSPACE: Json = { type: "mcp_toolset", mcp_server_name: "workspace" };

/** A response that was read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The message or the error; for a stream, the message that its events fold to. */
  body: Json;
  /** The events of a stream. */
  events: Wire[];
}

/** A gateway with tools, a workspace and a scripted model. */
export interface ToolGateway {
  root: string;
  model: ScriptedModel;
  clock: FakeClock;
  /** Loads the tools. */
  ready(): Promise<void>;
  /** Sends a message, and reads the response to its end. */
  ask(body: Json, options?: TestRequestOptions): Promise<Answer>;
  /** Sends a message, and returns the unread response. */
  send(body: Json, options?: TestRequestOptions): Promise<Response>;
  get(path: string): Promise<Json>;
  /** Writes files to the workspace. */
  put(files: Record<string, string | Uint8Array>): void;
  /** Reads a file of the workspace. */
  read(path: string): string;
  remove(): void;
}

/**
 * Returns the folder for workspaces: that of `--base=`, for a runtime that may access no other, or the temporary folder
 * of the machine.
 */
function toBaseFolder(): string {
  const option = argv.find((word) => word.startsWith("--base="));
  return option === undefined ? tmpdir() : option.slice("--base=".length);
}

/** Creates a gateway with these settings and an empty workspace. */
export function createToolGateway(settings: Settings): ToolGateway {
  const root = realpathSync(mkdtempSync(join(toBaseFolder(), "workspace-")));
  const model = createModel();
  const { clock, ready, post, get } = createTestGateway({
    settings: {
      ANTHROPIC_SMALL_FAST_MODEL: SMALL,
      GATEWAY_API_KEYS: `alice:${KEY},bob:key-of-bob-0987654321`,
      WORKSPACE_ROOT: root,
      ...settings,
    },
    fetch: model.fetch,
  });
  const send: ToolGateway["send"] = (body, { headers = {}, ...options } = {}) =>
    post({ max_tokens: 1024, messages: [{ role: "user", content: "Go" }], ...body }, {
      ...options,
      headers: { "x-api-key": KEY, ...headers },
    });
  return {
    root,
    model,
    clock,
    ready,
    send,
    ask: async (body, options) => await toAnswer(await send(body, options)),
    get: async (path) => asJson(await (await get(path, { "x-api-key": KEY })).json()),
    put(files) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
    },
    read: (path) => readFileSync(join(root, path), "utf8"),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs a test on a gateway, checks that the script of the model is used up, and removes the workspace. */
export async function withToolGateway(
  settings: Settings,
  use: (gateway: ToolGateway) => Promise<void>,
): Promise<void> {
  const gateway = createToolGateway(settings);
  try {
    await use(gateway);
    assert.equal(gateway.model.left, 0, "the model got fewer requests than scripted");
    // The gateway learns from the token counts of an answer a moment later.
    gateway.clock.advance(100);
    assert.equal(gateway.clock.waiting, 0, "a timer is left");
  } finally {
    gateway.remove();
  }
}

/** Reads a stream until it ends or is cancelled. */
export async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

async function toAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    return { status, headers, body: asJson(await response.json()), events: [] };
  }
  const events = parseEvents(await response.text());
  checkComplete(events);
  return { status, headers, body: foldEvents(events), events };
}
