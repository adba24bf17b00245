// Prepares Node.js to run the program: `node --import ./lib/runtime/preload.mjs mod.ts`, as `npm start` does.
import module from "node:module";
import process from "node:process";

// Keeps compiled code, and TypeScript without its types, for the next start. Node.js has it from version 22.8 on.
module.enableCompileCache?.();
// Node.js reads TypeScript by itself from version 22.18 on.
if (!process.features.typescript) await import("tsx");
