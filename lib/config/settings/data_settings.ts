import { integer, type Schema, text } from "../schemas.ts";

/** Settings for what outlives a request, part of the table in `settings.ts`. */
export const DATA_SETTINGS = {
  DATA_DIR: {
    flag: "--data-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text:
      "Folder for what outlives a request; several gateways of one machine may share it; unset: memory only. Needs Node 22, Deno or Bun",
  },
  DATA_QUOTA: {
    flag: "--data-quota",
    schema: (): Schema<string | number, number> => integer(1, 10_000_000),
    default: "10240",
    text: "MiB of batches and files that each key may keep in `DATA_DIR`",
  },
  BATCH_CONCURRENCY: {
    flag: "--batch-concurrency",
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "10",
    text: "Requests of all batches that are answered at the same time",
  },
} as const;
