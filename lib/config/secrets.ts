import { credentialsOf } from "../base/secret_redactor.ts";
import type { Config } from "./settings.ts";

/** Returns the secrets of the settings that the gateway itself sends to others: keys, headers, passwords. */
export function listSecrets(
  { openrouterApiKey, upstreams, webSearchKey, rateLimitStore }: Pick<
    Config,
    "openrouterApiKey" | "upstreams" | "webSearchKey" | "rateLimitStore"
  >,
): string[] {
  const headers = [...upstreams.values()].flatMap(({ headers }) => Object.values(headers ?? {}));
  const found = [
    openrouterApiKey,
    webSearchKey,
    URL.canParse(rateLimitStore) ? decodeURIComponent(new URL(rateLimitStore).password) : undefined,
    ...[...upstreams.values()].map(({ key }) => key),
    ...headers,
    ...headers.map(credentialsOf),
  ];
  return found.filter((secret) => secret !== undefined);
}
