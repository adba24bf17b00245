import * as v from "valibot";
import { isKeyName } from "../../config/gateway_keys.ts";
import { type LimitSet, readLimitSet } from "../../config/limits.ts";
import { OTHER_KEYS, Patterns } from "../../config/model_access.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import type { StoredKey } from "../../keys/records.ts";
import type { GatewayContext } from "../context.ts";
import { readJsonBody } from "../read_json.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Maximum number of patterns of a key, and of characters of one. */
const MAX_PATTERNS = 200;
const MAX_PATTERN_CHARS = 256;

/**
 * Answers `GET /v1/gateway/keys` with all keys of clients: those of the settings, then those of the store by name.
 *
 * @throws {ApiError} `overloaded_error` if the store cannot be reached.
 */
export async function listKeys({ gateway }: RoutedCall): Promise<Response> {
  const { keyStore, access: { apiKeys } } = gateway;
  const stored = (await keyStore.list()).filter(({ name }) => !apiKeys.names.includes(name))
    .toSorted((one, other) => one.name < other.name ? -1 : 1);
  const describe = await createDescriber(gateway);
  const data = [
    ...apiKeys.names.map((name) => describe(name, undefined)),
    ...stored.map((key) => describe(key.name, key)),
  ];
  return Response.json({ data, has_more: false });
}

/**
 * Answers `POST /v1/gateway/keys`: makes a key with `name` and, if given, `models` and `limits`. The key itself is in
 * this answer only.
 *
 * @throws {ApiError} `invalid_request_error` if the body is not valid or `KEY_STORE` is not set; `conflict_error` if
 * the name is taken; `overloaded_error` if the store cannot be reached.
 */
export async function makeKey({ request, gateway, requestLog }: RoutedCall): Promise<Response> {
  const count = gateway.bodies.start(requestLog.caller.client);
  try {
    const { name, ...rules } = parseNewKey(await readJsonBody(request, count, gateway));
    if (gateway.access.apiKeys.names.includes(name)) {
      throw new ApiError(
        "conflict_error",
        `Cannot make key ${quote(name)}: GATEWAY_API_KEYS has a key of this name`,
        { retryable: false },
      );
    }
    const { key, stored } = await gateway.keyStore.make(name, rules);
    const describe = await createDescriber(gateway);
    return Response.json({ ...describe(name, stored), key }, { headers: { "cache-control": "no-store" } });
  } finally {
    count.end();
  }
}

/**
 * Answers `DELETE /v1/gateway/keys/{name}`: the key and its sign-ins end; on other gateways of the store within a
 * second.
 *
 * @throws {ApiError} `not_found_error` if there is no such key, `invalid_request_error` if it is in the settings.
 */
export async function revokeKey({ gateway, params: { name = "" } }: RoutedCall): Promise<Response> {
  if (isKeyName(name) && await gateway.keyStore.revoke(name)) {
    return Response.json({ type: "gateway_key_deleted", name });
  }
  if (gateway.access.apiKeys.names.includes(name)) {
    throw new ApiError(
      "invalid_request_error",
      `Cannot revoke key ${quote(name)}: it is in GATEWAY_API_KEYS; remove it there`,
    );
  }
  throw new ApiError("not_found_error", `Cannot revoke key ${quote(name)}: there is no key of this name`);
}

/** Returns a function that describes a key: its rules in force, and its last use. */
async function createDescriber({ keyStore, access, config }: GatewayContext) {
  const uses = await keyStore.uses.read();
  return (name: string, stored: StoredKey | undefined) => ({
    type: "gateway_key",
    name,
    source: stored === undefined ? "settings" : "store",
    created_at: toTime(stored?.createdAt),
    last_used_at: toTime(uses.get(name)),
    models: access.keyRules.models(name) ?? access.keyRules.models(OTHER_KEYS) ?? null,
    limits: { ...config.limits.each, ...access.keyRules.limits(name) },
  });
}

function toTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** @throws {ApiError} `invalid_request_error` */
function parseNewKey(body: unknown): { name: string; models?: readonly string[]; limits?: LimitSet } {
  if (!isObject(body)) throw invalid("body: Input should be an object");
  const { name, models, limits, ...unknown } = body;
  const [field] = Object.keys(unknown);
  if (field !== undefined) throw invalid(`${field.slice(0, 100)}: Extra inputs are not permitted`);
  // A path cannot name "." and "..", so that such a key could not be revoked.
  if (typeof name !== "string" || !isKeyName(name) || /^\.+$/.test(name)) {
    throw invalid(
      'name: Input should be 1 to 64 letters, digits, ".", "_" and "-", not dots only, and not local, admin or nobody',
    );
  }
  if (models !== undefined && !v.is(ModelList, models)) {
    throw invalid(
      `models: Input should be a list of at most ${MAX_PATTERNS} patterns of at most ${MAX_PATTERN_CHARS} characters`,
    );
  }
  const { set, mistakes } = readLimitSet(limits);
  if (mistakes.length > 0) throw invalid(mistakes.join("; "));
  return { name, ...(models !== undefined && { models }), ...(limits !== undefined && { limits: set }) };
}

const ModelList = v.pipe(
  Patterns,
  v.maxLength(MAX_PATTERNS),
  v.everyItem((pattern) => pattern.length <= MAX_PATTERN_CHARS),
);

function invalid(message: string): ApiError {
  return new ApiError("invalid_request_error", message);
}
