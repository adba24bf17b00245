import async_hooks from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";

/**
 * Reduces the time of tests on Node.js to half, or to a quarter with millions of promises. Import it before other
 * modules: `node --import ./tests/kit/untracked_promises.mjs`.
 *
 * From the first test on, the runner of Node.js tracks every promise with a hook, to assign an error outside of a
 * test's promise to a test. Without the hook it reports such an error for the file, and the run fails as well. It
 * prints only the message of the error, so this module prints the stack.
 */
const inert = { enable: () => inert, disable: () => inert };

const createHook = async_hooks.createHook;
async_hooks.createHook = (callbacks) => callbacks.init === undefined ? createHook(callbacks) : inert;
syncBuiltinESMExports();

process.on("unhandledRejection", (error) => {
  if (process.listenerCount("unhandledRejection") === 1) throw error; // the default without a listener
  console.error(error);
});
process.on("uncaughtExceptionMonitor", (error) => {
  if (process.listenerCount("uncaughtException") > 0) console.error(error);
});
