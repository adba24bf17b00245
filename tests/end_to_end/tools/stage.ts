import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import type { Settings } from "../../../lib/config/settings.ts";
import { createGateway, type Gateway } from "../../../lib/gateway.ts";
import { FakeClock } from "../../kit/clock.ts";
import { parseEvents, type WireEvent } from "../../kit/events.ts";
import { isJson, type Json } from "../../kit/json.ts";
import { assertLegal } from "../../kit/legal.ts";
import { foldEvents } from "../../kit/answer_text.ts";
import { createModel, type ScriptedModel, SMALL } from "./model.ts";

/** The key of the client, whose name is `alice`. */
export const KEY = "key-of-alice-1234567890";

/** The gateway's tools, all that are switched on. */
export const WORKSPACE: Json = { type: "mcp_toolset", mcp_server_name: "workspace" };

/** What an answer was. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The message, or what was said instead; of a stream, its fold. */
  body: Json;
  /** The events of a stream. */
  events: WireEvent[];
}

/** A gateway with tools, a workspace and a model that says what is scripted. */
export interface Door {
  root: string;
  model: ScriptedModel;
  clock: FakeClock;
  gateway: Gateway;
  /** Asks for a message; what is not said is made up. */
  ask(body: Json, options?: AskOptions): Promise<Answer>;
  /** Sends a request for a message, and gives the bare response. */
  send(body: Json, options?: AskOptions): Promise<Response>;
  get(path: string): Promise<Json>;
  /** Puts files into the workspace. */
  put(files: Record<string, string | Uint8Array>): void;
  /** Reads a file of the workspace. */
  read(path: string): string;
  remove(): void;
}

export interface AskOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Where folders for tests are made: the one that `--ground=` names, for a runtime that may touch no other, or else the
 * machine's own for what is temporary.
 */
function toGround(): string {
  const named = argv.find((word) => word.startsWith("--ground="));
  return named === undefined ? tmpdir() : named.slice("--ground=".length);
}

/** Opens a gateway with these settings beside those of every door. */
export function openDoor(settings: Settings): Door {
  const root = realpathSync(mkdtempSync(join(toGround(), "door-")));
  const model = createModel();
  const clock = new FakeClock();
  const gateway = createGateway({
    settings: {
      OPENROUTER_API_KEY: "sk-or-test",
      ANTHROPIC_SMALL_FAST_MODEL: SMALL,
      GATEWAY_API_KEYS: `alice:${KEY},bob:key-of-bob-0987654321`,
      WORKSPACE_ROOT: root,
      ...settings,
    },
    fetch: model.fetch,
    clock,
  });
  const door: Door = {
    root,
    model,
    clock,
    gateway,
    send: (body, { headers = {}, signal } = {}) =>
      gateway.fetch(
        new Request("http://gateway.test/v1/messages", {
          method: "POST",
          headers: { "content-type": "application/json", "x-api-key": KEY, ...headers },
          body: JSON.stringify({ max_tokens: 1024, messages: [{ role: "user", content: "Go" }], ...body }),
          ...(signal !== undefined && { signal }),
        }),
      ),
    async ask(body, options) {
      return toAnswer(await door.send(body, options));
    },
    async get(path) {
      const headers = { "x-api-key": KEY };
      const response = await gateway.fetch(new Request(`http://gateway.test${path}`, { headers }));
      return toJson(await response.json());
    },
    put(files) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
    },
    read: (path) => readFileSync(join(root, path), "utf8"),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  return door;
}

/** Opens a gateway for as long as `use` runs; all that was scripted must have been said by then. */
export async function withDoor(settings: Settings, use: (door: Door) => Promise<void>): Promise<void> {
  const door = openDoor(settings);
  try {
    await use(door);
    assert.equal(door.model.left, 0, "the model was asked less often than scripted");
    // What the gateway learns of an answer's length it learns a little later.
    door.clock.advance(100);
    assert.equal(door.clock.waiting, 0, "something still waits");
  } finally {
    door.remove();
  }
}

/** Reads a stream until it ends, or is left. */
export async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

async function toAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    return { status, headers, body: toJson(await response.json()), events: [] };
  }
  const events = parseEvents(await response.text());
  assertLegal(events);
  return { status, headers, body: foldEvents(events), events };
}

function toJson(value: unknown): Json {
  assert.ok(isJson(value), "the answer is no JSON object");
  return value;
}
