import assert from "node:assert/strict";
import type { TestGateway } from "../kit/gateway.ts";

/** The operator's key of the tests of the page. */
export const ADMIN_KEY = "admin-key-0123456789";

/** Sends a form to the page. */
export function postForm(
  gateway: Pick<TestGateway, "fetch">,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return gateway.fetch(
    new Request(`http://gateway.test/console/${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields),
    }),
  );
}

/** Signs in, and returns the cookie of the session. */
export async function signIn(gateway: Pick<TestGateway, "fetch">): Promise<{ cookie: string }> {
  const response = await postForm(gateway, "sign-in", { key: ADMIN_KEY, next: "" });
  assert.equal(response.status, 303);
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { cookie };
}

/** Returns the token in the forms of a document. */
export function readToken(document: string): string {
  return /name="token" value="(\w+)"/.exec(document)?.[1] ?? "";
}
