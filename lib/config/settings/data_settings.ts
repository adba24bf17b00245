import { baseUrl, databaseUrl, integer, list, type Schema, text } from "../schemas.ts";

const IDENTITY_KEY = "public keys that begin with publickeyv1_, separated by commas";

/** Settings for what outlives a request, part of the table in `settings.ts`. */
export const DATA_SETTINGS = {
  DATA_DIR: {
    flag: "--data-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text:
      "Folder for what outlives a request; several gateways of one machine may share it; unset: memory only. Needs Node 22, Deno or Bun",
  },
  DATA_URL: {
    flag: "--data-url",
    schema: (): Schema<string, string> => databaseUrl(),
    secret: true,
    text:
      "URL of a PostgreSQL database, `postgres://…`, instead of `DATA_DIR`: gateways on several machines may share it",
  },
  DATA_QUOTA: {
    flag: "--data-quota",
    schema: (): Schema<string | number, number> => integer(1, 10_000_000),
    default: "10240",
    text: "MiB of batches and files that each key may keep in `DATA_DIR` or `DATA_URL`",
  },
  BATCH_CONCURRENCY: {
    flag: "--batch-concurrency",
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "10",
    text: "Requests of all batches that are answered at the same time",
  },
  RESTATE_INGRESS_URL: {
    flag: "--restate-ingress-url",
    schema: (): Schema<string, string> => baseUrl(),
    text:
      "Ingress of a Restate server, by which gateways continue the work of one that has ended; needs Node 22, Deno or Bun",
  },
  RESTATE_IDENTITY_KEYS: {
    flag: "--restate-identity-keys",
    schema: (): Schema<string | readonly string[], readonly string[]> =>
      list(text(IDENTITY_KEY, /^publickeyv1_\w+$/)),
    text: "Public keys of the Restate server, which signs its requests to `/restate`; required with it",
  },
} as const;
