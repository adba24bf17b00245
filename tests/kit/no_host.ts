import type { Files } from "../../tools/host/files.ts";
import type { Shell } from "../../tools/host/shell.ts";
import type { Web } from "../../tools/host/web.ts";

function none(): never {
  throw new Error("this test has nothing of the kind");
}

/** Parts of a host that the tool of a test must not use: each call throws. */
export const NO_FILES: Files = {
  maxFileBytes: 0,
  read: none,
  write: none,
  walk: none,
  prefilter: none,
  readPdf: none,
  pause: none,
};
export const NO_SHELL: Shell = { run: none };
export const NO_WEB: Web = { fetchPage: none, search: none };
