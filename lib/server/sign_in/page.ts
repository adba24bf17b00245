import { ApiError } from "../../base/errors.ts";
import { toHostName } from "../../base/host_name.ts";
import { newId } from "../../runtime/ids.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { assertSignInOn } from "./oauth.ts";
import { readForm } from "./read_form.ts";

/** Answers `GET /oauth/device`: the form for a code and a key. A code in the address is filled in, never submitted. */
export function answerPage({ request, gateway }: RoutedCall): Response {
  assertSignInOn(gateway);
  const code = new URL(request.url).searchParams.get("user_code") ?? "";
  return htmlResponse(toForm({ code: normalize(code) }));
}

/**
 * Answers `POST /oauth/device`: approves the sign-in of a code with a client's key.
 *
 * @throws {ApiError} `permission_error` if another site's page has sent the form.
 */
export async function answerPageForm({ request, gateway }: RoutedCall): Promise<Response> {
  assertSignInOn(gateway);
  assertOwnPage(request);
  const form = await readForm(request, gateway);
  const code = normalize(form.get("user_code") ?? "");
  const key = form.get("key")?.trim() ?? "";
  const outcome = await gateway.deviceCodes.enter(
    code,
    () => gateway.access.apiKeys.matchForSignIn(key),
  );
  if (outcome === "approved") return htmlResponse(APPROVED);
  const [status, problem] = PROBLEMS[outcome];
  return htmlResponse(toForm({ code, problem }), status);
}

const PROBLEMS = {
  unknown_code: [400, "This code is not valid, or no longer. Start the sign-in again to get another one."],
  wrong_key: [403, "This is not a client's key of the gateway."],
  too_many: [429, "There were too many wrong entries. Wait a minute, then try again."],
} as const;

/** Rejects a form of another site. Browsers send one of the headers. */
function assertOwnPage({ headers, url }: Request): void {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const host = headers.get("host") ?? new URL(url).host;
  const isOwn = site === null
    ? origin === null || hostOf(origin) === hostOf(`http://${host}`)
    : site === "same-origin";
  if (!isOwn) throw new ApiError("permission_error", "Cannot accept the form: another site has sent it");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? toHostName(new URL(origin).host) : undefined;
}

/** Returns the letters of a code as it is compared: people type small letters, spaces and dashes. */
function normalize(code: string): string {
  return code.slice(0, 64).toUpperCase().replace(/[^A-Z]/g, "").slice(0, 8);
}

function toForm({ code, problem }: { code: string; problem?: string }): string {
  const shown = code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code;
  return `<h1>Sign in to this gateway</h1>
${problem === undefined ? "" : `<p role="alert">${problem}</p>\n`}<form method="post" action="/oauth/device">
<label for="user_code">Code that Claude Code shows</label>
<input id="user_code" name="user_code" value="${shown}" autocomplete="off" autocapitalize="characters" required>
<label for="key">Your key of this gateway</label>
<input id="key" name="key" type="password" autocomplete="off" required>
<p>Continue only if you have started this sign-in yourself and your terminal shows this code.
Whoever started it can then use the gateway with your key.</p>
<button type="submit">Sign in</button>
</form>`;
}

const APPROVED = `<h1>Signed in</h1>
<p>Close this page and return to Claude Code.</p>`;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}
label,input,button{display:block;margin-top:.75rem;font:inherit}
input{box-sizing:border-box;width:100%;padding:.4rem}
button{padding:.5rem 1.5rem}
[role=alert]{border-left:.25rem solid #b00020;padding-left:.75rem}`;

function htmlResponse(main: string, status = 200): Response {
  const nonce = newId("");
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to this gateway</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    },
  });
}
