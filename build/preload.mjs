// @ts-check
// Prepares Node.js to run the compiled program: `node --import ./build/preload.mjs dist/mod.js`, as `npm start` does.
import module from "node:module";
import { compileChanged } from "./compile.mjs";

/** Time after the start at which the compiled code is stored, in milliseconds. */
const STORE_MS = 5000;

compileChanged();
// Keeps what the engine compiles for the next start. Node.js has it from version 22.8 on.
module.enableCompileCache?.();
// It is stored when the program ends, and before, for a program that is killed.
setTimeout(() => module.flushCompileCache?.(), STORE_MS).unref();
