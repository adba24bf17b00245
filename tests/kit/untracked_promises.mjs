import async_hooks from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";

/**
 * Makes tests on Node take half the time, or a quarter where there are millions of promises. Import it before
 * anything else: `node --import ./tests/kit/untracked_promises.mjs`.
 *
 * From the first test on, Node's runner follows every promise with a hook, to find which test an error outside a
 * test's own promise belongs to. Without the hook the runner reports such an error for the file instead of for a
 * test, and the run fails just so. The runner prints only the message of the error, so its stack is printed here.
 */
const inert = { enable: () => inert, disable: () => inert };

const createHook = async_hooks.createHook;
async_hooks.createHook = (callbacks) => callbacks.init === undefined ? createHook(callbacks) : inert;
syncBuiltinESMExports();

process.on("unhandledRejection", (error) => {
  if (process.listenerCount("unhandledRejection") === 1) throw error; // as without a listener
  console.error(error);
});
process.on("uncaughtExceptionMonitor", (error) => {
  if (process.listenerCount("uncaughtException") > 0) console.error(error);
});
