import { ApiError } from "../../base/errors.ts";
import type { GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { CODE_LIFETIME_S, POLL_INTERVAL_S } from "./device_codes.ts";
import { readForm } from "./read_form.ts";

/** Lifetime that a token states, in seconds: it ends with its key, not by itself. */
const TOKEN_LIFETIME_S = 10 * 365 * 24 * 60 * 60;

const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * Rejects a request about signing in unless `SIGN_IN` is on.
 *
 * @throws {ApiError} `not_found_error`
 */
export function assertSignInOn({ config }: Pick<GatewayContext, "config">): void {
  if (config.signIn === "on") return;
  throw new ApiError("not_found_error", "Cannot sign in: SIGN_IN is not on");
}

/** Answers `GET /.well-known/oauth-authorization-server`. Source: https://www.rfc-editor.org/rfc/rfc8414 */
export function answerMetadata({ request, gateway }: RoutedCall): Response {
  assertSignInOn(gateway);
  const origin = publicOrigin(request);
  return noStore({
    issuer: origin,
    device_authorization_endpoint: `${origin}/oauth/device_authorization`,
    token_endpoint: `${origin}/oauth/token`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    grant_types_supported: [DEVICE_CODE_GRANT],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    gateway_protocol_version: 1,
  });
}

/** Answers `POST /oauth/device_authorization` with new codes. Source: https://www.rfc-editor.org/rfc/rfc8628 */
export async function answerDeviceAuthorization({ request, gateway }: RoutedCall): Promise<Response> {
  assertSignInOn(gateway);
  await readForm(request, gateway);
  const { deviceCode, userCode } = gateway.deviceCodes.start();
  const page = `${publicOrigin(request)}/oauth/device`;
  const shown = `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
  return noStore({
    device_code: deviceCode,
    user_code: shown,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${shown}`,
    expires_in: CODE_LIFETIME_S,
    interval: POLL_INTERVAL_S,
    ...(!gateway.keyStore.persistent && { login_notice: MEMORY_NOTICE }),
  });
}

const MEMORY_NOTICE = "This gateway keeps sign-ins in memory: a restart of it ends them.";

/**
 * Answers `POST /oauth/token`: exchanges an approved device code for a token, once. Errors are in the format of OAuth.
 *
 * @throws {ApiError} `overloaded_error` if the token cannot be kept; the device code stays valid.
 */
export async function answerToken({ request, gateway, requestLog }: RoutedCall): Promise<Response> {
  assertSignInOn(gateway);
  const form = await readForm(request, gateway);
  const grant = form.get("grant_type");
  // Tokens have no refresh token: none can be valid.
  if (grant === "refresh_token") return oauthError("invalid_grant");
  if (grant !== DEVICE_CODE_GRANT) return oauthError(grant ? "unsupported_grant_type" : "invalid_request");
  const poll = gateway.deviceCodes.poll(form.get("device_code") ?? "");
  if (poll.state === "authorization_pending") {
    // Every sign-in polls some times, which is no failure.
    requestLog.respond();
    requestLog.end("finished", 400);
  }
  if (poll.state !== "approved") return oauthError(poll.state);
  try {
    const token = await gateway.keyStore.signIn(poll.key);
    return noStore({ access_token: token, token_type: "Bearer", expires_in: TOKEN_LIFETIME_S });
  } catch (error) {
    poll.restore();
    throw error;
  }
}

/** Answers `POST /oauth/revoke`: ends the sign-in of a token. Source: https://www.rfc-editor.org/rfc/rfc7009 */
export async function answerRevocation({ request, gateway }: RoutedCall): Promise<Response> {
  assertSignInOn(gateway);
  const token = (await readForm(request, gateway)).get("token");
  if (token === undefined || token === "") return oauthError("invalid_request");
  await gateway.keyStore.signOut(token);
  return noStore({});
}

/** Returns the origin of a request as its client sees it. A proxy in front may end TLS. */
function publicOrigin({ url, headers }: Request): string {
  const { host, protocol } = new URL(url);
  const forwarded = headers.get("x-forwarded-proto")?.split(",")[0]?.trim();
  return `${forwarded === "https" ? "https:" : protocol}//${host}`;
}

function oauthError(error: string): Response {
  return noStore({ error }, 400);
}

function noStore(body: object, status = 200): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
