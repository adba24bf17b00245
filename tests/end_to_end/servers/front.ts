import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A load balancer for TCP. Some of its servers may have ended. */
export interface Front {
  url: string;
  /** Ports of the servers: each connection goes to the first one that accepts it. */
  ports: number[];
  stop(): Promise<void>;
}

/** Starts a load balancer on loopback. */
export async function startFront(): Promise<Front> {
  const sockets = new Set<Socket>();
  const front: Front = {
    url: "",
    ports: [],
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const join = (client: Socket, [port, ...rest]: readonly number[]): void => {
    if (port === undefined) return void client.destroy();
    const target = connect(port, "127.0.0.1");
    let connected = false;
    target.once("connect", () => {
      connected = true;
      client.pipe(target);
      target.pipe(client);
    });
    target.on("error", () => connected ? client.destroy() : join(client, rest));
    target.on("close", () => connected && client.destroy());
    client.on("close", () => target.destroy());
    sockets.add(target);
  };
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => {}); // the other side has ended
    join(client, front.ports);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return front;
}
