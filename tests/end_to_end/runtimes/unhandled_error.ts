// Run by unhandled_error.test.ts: fails where nobody waits for it, in both ways, and tells what the gateway says of it.
import process from "node:process";
import { createGateway } from "../../../lib/gateway.ts";
import { onUnhandledError } from "../../../lib/runtime/process.ts";
import { logUnhandledError } from "../../../lib/observability/counters.ts";
import { printLine, startLog } from "../../../lib/observability/log.ts";

startLog("error");
const gateway = createGateway();
onUnhandledError(logUnhandledError);
const tell = async () => {
  const health = await (await gateway.fetch(new Request("http://gateway/health"))).json();
  const status = await (await gateway.fetch(new Request("http://gateway/status"))).json();
  printLine(`${health.status} ${status.unhandled_errors}`);
};
await tell();
Promise.reject(new Error("in a promise, with sk-or-v1-0123456789"));
setTimeout(() => {
  throw new Error("in a callback");
});
setTimeout(() => tell().then(() => process.exit(0)), 100);
