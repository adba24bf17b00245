import * as v from "valibot";
import { json, named, type Operation } from "./operation.ts";

const Text = v.string();
const Nullable = v.nullable(Text);

const KEY = {
  type: v.literal("gateway_key"),
  name: Text,
  source: v.picklist(["settings", "store"]),
  created_at: Nullable,
  last_used_at: Nullable,
  models: v.nullable(v.array(Text)),
  limits: v.record(Text, v.number()),
};
const Key = v.object(KEY);

const NewKey = v.object({
  name: Text,
  models: v.optional(v.array(Text)),
  limits: v.optional(v.record(Text, v.number())),
});

/** An error of OAuth. Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const OAuthError = json("OAuthError", v.looseObject({ error: v.union([Text, v.looseObject({})]) }));

const FORM = { media: "application/x-www-form-urlencoded" };

const TELEMETRY: Operation = {
  summary: "Accepts a report of OpenTelemetry, which is dropped",
  body: json("TelemetryReport", v.looseObject({})),
  answer: json("TelemetryAnswer", v.looseObject({})),
};

/** The endpoints of client keys, and those by which Claude Code signs in. The page for browsers is not among them. */
export const KEY_OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /v1/gateway/keys": {
    summary: "Lists the keys of clients, without the keys themselves",
    answer: json("Keys", v.object({ data: v.array(named("Key", Key)), has_more: v.boolean() })),
  },
  "POST /v1/gateway/keys": {
    summary: "Makes a key, which is in this answer only",
    body: json("NewKey", NewKey),
    answer: json("MadeKey", v.object({ ...KEY, key: Text })),
  },
  "DELETE /v1/gateway/keys/{name}": {
    summary: "Revokes a key that was made here, and ends its sign-ins",
    answer: json("RevokedKey", v.object({ type: v.literal("gateway_key_deleted"), name: Text })),
  },
  "GET /.well-known/oauth-authorization-server": {
    summary: "Names the endpoints of signing in (RFC 8414)",
    answer: json("SignInMetadata", v.looseObject({ issuer: Text, token_endpoint: Text })),
  },
  "POST /oauth/device_authorization": {
    summary: "Starts a sign-in with new codes (RFC 8628)",
    body: FORM,
    answer: json(
      "DeviceCodes",
      v.object({
        device_code: Text,
        user_code: Text,
        verification_uri: Text,
        verification_uri_complete: Text,
        expires_in: v.number(),
        interval: v.number(),
        login_notice: v.optional(Text),
      }),
    ),
  },
  "POST /oauth/token": {
    summary: "Exchanges a device code for a token, once a person has entered the code and a key",
    body: FORM,
    answer: json(
      "Token",
      v.object({ access_token: Text, token_type: v.literal("Bearer"), expires_in: v.number() }),
    ),
    failure: OAuthError,
  },
  "POST /oauth/revoke": {
    summary: "Ends the sign-in of a token (RFC 7009)",
    body: FORM,
    answer: json("Revoked", v.looseObject({})),
    failure: OAuthError,
  },
  "GET /managed/settings": {
    summary: "Returns what Claude Code is told about the models of the key, after it has signed in",
    headers: { "if-none-match": "checksum of the settings that the client has" },
    answer: json(
      "ManagedSettings",
      v.object({ uuid: Text, checksum: Text, settings: v.looseObject({}) }),
    ),
  },
  "POST /v1/metrics": TELEMETRY,
  "POST /v1/logs": TELEMETRY,
  "POST /v1/traces": TELEMETRY,
};
