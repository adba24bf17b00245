// Prepares Node.js to run the program: `node --import ./lib/runtime/preload.mjs mod.ts`, as `npm start` does.
import module from "node:module";
import process from "node:process";

/** Time after the start at which the compiled code is stored, in milliseconds. */
const STORE_MS = 5000;

// Keeps compiled code, and TypeScript without its types, for the next start. Node.js has it from version 22.8 on.
module.enableCompileCache?.();
// It is stored when the program ends, and before, for a program that is killed.
setTimeout(() => module.flushCompileCache?.(), STORE_MS).unref();
// Node.js reads TypeScript by itself from version 22.18 on. The name is no literal, so that Deno does not look for it.
const reader = "tsx";
if (!process.features.typescript) await import(reader);
