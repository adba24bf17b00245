import { ADMIN, LOCAL } from "../config/gateway_keys.ts";
import { ApiError } from "../base/errors.ts";
import type { PageCall } from "./source.ts";
import { SESSION_SECONDS, type ViewerSession, type ViewerSessions } from "./sessions.ts";

/** Who may see the page. */
export interface Viewer {
  /** Token that the viewer's forms contain. */
  token: string;
  /** The session; undefined with the admin key in a header, or if the gateway needs no key. */
  session: ViewerSession | undefined;
  /** False once the session has ended. */
  isValid(): boolean;
}

/**
 * Returns the viewer of a request: with a session, with the admin key in a header, or anyone if no key is configured,
 * as for the other endpoints of the operator. Undefined if the viewer must sign in. `openToken` is the token of viewers
 * without a session.
 */
export function findViewer(
  { request, gateway, requestLog }: PageCall,
  { sessions, openToken }: { sessions: ViewerSessions; openToken: string },
): Viewer | undefined {
  const { client } = requestLog.caller;
  const isOpen = client === LOCAL && !gateway.access.apiKeys.required && !gateway.access.apiKeys.hasAdmin;
  if (client === ADMIN || isOpen) return { token: openToken, session: undefined, isValid: () => true };
  const id = readCookie(request, sessionCookie(request)) ?? "";
  const session = sessions.find(id);
  if (session === undefined) return undefined;
  requestLog.caller = { ...requestLog.caller, client: ADMIN };
  return { token: session.token, session, isValid: () => sessions.find(id) !== undefined };
}

/** Returns the header that gives the browser a session; undefined removes it. */
export function writeSessionCookie(request: Request, session: ViewerSession | undefined): string {
  const isSecure = request.url.startsWith("https:") || request.headers.get("x-forwarded-proto") === "https";
  const attributes = [
    `${sessionCookie(request)}=${session?.id ?? ""}`,
    // Without a path, the cookie is sent to the folder of this address: the page, also under a prefix.
    `Max-Age=${session === undefined ? 0 : SESSION_SECONDS}`,
    "HttpOnly",
    "SameSite=Strict",
    ...(isSecure ? ["Secure"] : []),
  ];
  return attributes.join("; ");
}

/** Cookies do not differ by port, but the gateways of one machine do. */
function sessionCookie(request: Request): string {
  return `console-session-${/:(\d+)$/.exec(hostOf(request))?.[1] ?? "0"}`;
}

/** Returns the host and port that the browser has asked for. */
export function hostOf({ headers, url }: Request): string {
  return headers.get("host") ?? new URL(url).host;
}

/** Returns a cookie of a request. */
export function readCookie({ headers }: Request, name: string): string | undefined {
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * Rejects requests of other sites' pages: a form from elsewhere, or a script of an origin of `CORS_ORIGINS`, which may
 * use the API only. A link from another site may open a view, but what the view loads, such as its event stream, may
 * not be loaded from there.
 *
 * @throws {ApiError} `permission_error`.
 */
export function checkSite(request: Request): void {
  const { headers, method } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const isSame = site !== null
    ? site === "same-origin" || site === "none" ||
      (method !== "POST" && headers.get("sec-fetch-mode") === "navigate")
    : origin === null || (URL.canParse(origin) && new URL(origin).host === hostOf(request));
  if (!isSame) throw new ApiError("permission_error", "Cannot accept a request of another site's page");
}
