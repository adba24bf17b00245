import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createWeb, type Web, type WebCall, type WebTransport } from "../../../tools/host/web.ts";
import type { Host } from "../../../tools/tool.ts";
import { NO_FILES, NO_SHELL } from "../no_host.ts";
import { WEB_LIMITS, type WebLimits, type WebPolicy } from "../../../tools/policy/web.ts";

/** A server on the loopback. */
export interface Loopback {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly host: string;
  /** The paths of the requests so far, with their queries. */
  readonly paths: string[];
  close(): Promise<void>;
}

/** Starts a server at a free port of the loopback. */
export async function serve(
  answer: RequestListener,
  tls?: { cert: string; key: string },
): Promise<Loopback> {
  const paths: string[] = [];
  const listener: RequestListener = (request, response) => {
    paths.push(request.url ?? "");
    answer(request, response);
  };
  const server: Server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(toPort(server.address())))
  );
  return {
    port,
    host: `127.0.0.1:${port}`,
    paths,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return address.port;
}

/** Options of {@linkcode createTestWeb}. */
export interface TestWebOptions extends WebTransport, Partial<WebCall> {
  allow?: readonly string[];
  limits?: Partial<WebLimits>;
  search?: WebPolicy["search"];
}

/** Creates access to the web. It reaches only the allowed hosts, unless another transport is given. */
export function createTestWeb(
  { allow = [], limits = {}, search = { engine: "openrouter" }, ...call }: TestWebOptions,
): Web {
  const { signal = new AbortController().signal, models = { search: refuse }, ...means } = call;
  const policy = { allowHosts: new Set(allow), search, limits: { ...WEB_LIMITS, ...limits } };
  return createWeb(policy, means)({ signal, models });
}

/** Creates the host of a web tool. */
export function createTestHost(web: Web, complete: Host["models"]["complete"] = refuse): Host {
  return {
    signal: new AbortController().signal,
    files: NO_FILES,
    shell: NO_SHELL,
    web,
    models: { complete, runSubagent: refuse, search: refuse },
    session: { seen: new Map(), todos: [] },
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("No request is allowed"));
}
