import async_hooks from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

/**
 * Makes tests on Node take half the time, or a quarter where there are millions of promises. Import it before
 * anything else: `node --import ./tests/kit/untracked_promises.mjs`.
 *
 * From the first test on, Node's runner follows every promise with a hook, to find which test an error outside a
 * test's own promise belongs to. Without the hook the runner reports such an error for the file instead of for a
 * test, and the run fails just so.
 */
const inert = { enable: () => inert, disable: () => inert };

const createHook = async_hooks.createHook;
async_hooks.createHook = (callbacks) => callbacks.init === undefined ? createHook(callbacks) : inert;
syncBuiltinESMExports();
