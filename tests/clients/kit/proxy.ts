import { once } from "node:events";
import { createServer } from "node:http";

/** A proxy on the loopback interface that refuses every request. */
export interface Proxy {
  url: string;
  /** Addresses that it was asked to reach, as `host:port` or a URL. */
  sought: string[];
  close(): Promise<void>;
}

/** Starts a proxy that refuses every request and records its address. */
export async function startProxy(): Promise<Proxy> {
  const sought: string[] = [];
  const server = createServer((request, response) => {
    sought.push(request.url ?? "");
    response.writeHead(403).end();
  });
  server.on("connect", (request, socket) => {
    sought.push(request.url ?? "");
    // A client that is about to end may reset the connection.
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, sought, close };
}

/** Returns the environment of a program whose requests to other hosts than this one reach the proxy. */
export function proxiedEnvironment({ url }: Proxy): Record<string, string | undefined> {
  return {
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    NO_PROXY: "127.0.0.1",
  };
}
