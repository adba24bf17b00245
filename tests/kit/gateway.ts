import type { Settings } from "../../lib/config/settings.ts";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import { FakeClock } from "./clock.ts";
import type { Hooks } from "../../lib/server/hooks.ts";
import { type FakeReplies, FakeUpstream } from "./upstream.ts";

/** The parts of a gateway that a test chooses. */
export interface TestGatewayOptions {
  /** Settings beside an upstream key, which is `sk-or-test`. */
  settings?: Settings;
  /** The upstream, or its replies. */
  upstream?: FakeUpstream | FakeReplies;
  /** Replaces the `fetch` of the upstream. */
  fetch?: typeof fetch;
  clock?: FakeClock;
  /** The address that the gateway listens on. Default: embedded in another server. */
  host?: string | undefined;
  hooks?: Hooks;
}

/** The parts of a request that are rarely chosen. */
export interface TestRequestOptions {
  /** Default: `/v1/messages`. */
  path?: string;
  /** They are added to `content-type: application/json`. */
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A body for a request: a value that is written as JSON, or the bytes themselves. */
export type TestBody = object | string | Uint8Array | ReadableStream<Uint8Array>;

/** A gateway with a fake clock and a fake upstream. */
export interface TestGateway {
  readonly upstream: FakeUpstream;
  readonly clock: FakeClock;
  /** Sends a request with a body. */
  post(body: TestBody, options?: TestRequestOptions): Promise<Response>;
  /** Sends a request without a body. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  fetch(request: Request): Promise<Response>;
  ready(): Promise<void>;
  /** Replaces the settings; an upstream key is added to them, as at the start. */
  reload(settings: Settings): ReturnType<Gateway["reload"]>;
  stop(): Promise<void>;
}

/** Creates a gateway whose clock stands still and whose upstream is a fake. */
export function createTestGateway(options: TestGatewayOptions = {}): TestGateway {
  const { settings = {}, clock = new FakeClock(), host, hooks = {} } = options;
  const upstream = options.upstream instanceof FakeUpstream
    ? options.upstream
    : new FakeUpstream(options.upstream);
  const withKey = (settings: Settings) => ({ OPENROUTER_API_KEY: "sk-or-test", ...settings });
  const gateway = createGateway({
    settings: withKey(settings),
    fetch: options.fetch ?? upstream.fetch,
    clock,
    host,
    hooks,
  });
  return {
    upstream,
    clock,
    post: (body, request) => gateway.fetch(createPost(body, request)),
    get: (path, headers = {}) => gateway.fetch(new Request(toUrl(path), { headers })),
    fetch: (request) => gateway.fetch(request),
    ready: () => gateway.ready(),
    reload: (settings) => gateway.reload(withKey(settings)),
    stop: () => gateway.stop(),
  };
}

function createPost(
  body: TestBody,
  { path = "/v1/messages", headers = {}, signal }: TestRequestOptions = {},
): Request {
  const init: RequestInit & { duplex?: "half" } = {
    method: "POST",
    headers: new Headers({ "content-type": "application/json", ...headers }),
    body: toBody(body),
    ...(body instanceof ReadableStream && { duplex: "half" }),
    ...(signal !== undefined && { signal }),
  };
  return new Request(toUrl(path), init);
}

function toUrl(path: string): string {
  return `http://gateway.test${path}`;
}

function toBody(body: TestBody): BodyInit {
  if (typeof body === "string" || body instanceof ReadableStream) return body;
  return body instanceof Uint8Array ? body.slice() : JSON.stringify(body);
}
