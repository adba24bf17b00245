import assert from "node:assert/strict";
import type { Server } from "node:net";

/** The port that a server listens on. */
export function toPort(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null, "the server listens on a port");
  return address.port;
}
