// Run by unhandled_error.test.ts: causes both kinds of unhandled errors, and prints the gateway's health and count.
import process from "node:process";
import { createGateway } from "../../../lib/gateway.ts";
import { onUnhandledError } from "../../../lib/runtime/process.ts";
import { logUnhandledError } from "../../../lib/observability/counters.ts";
import { printLine, startLog } from "../../../lib/observability/log.ts";

startLog("error");
const gateway = createGateway();
onUnhandledError(logUnhandledError);
const printState = async () => {
  const health = await (await gateway.fetch(new Request("http://gateway/health"))).json();
  const status = await (await gateway.fetch(new Request("http://gateway/status"))).json();
  printLine(`${health.status} ${status.unhandled_errors}`);
};
await printState();
Promise.reject(new Error("in a promise, with sk-or-v1-0123456789"));
setTimeout(() => {
  throw new Error("in a callback");
});
setTimeout(() => printState().then(() => process.exit(0)), 100);
