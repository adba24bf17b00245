/** Headers of every answer of the page. Nothing is loaded from elsewhere, and no script or style is inline. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  // With `no-referrer`, browsers send forms with the origin `null`, which is that of no page.
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** Returns a document. */
export function answerDocument(document: string, status = 200): Response {
  return new Response(document, {
    status,
    headers: { ...PAGE_HEADERS, "content-type": "text/html; charset=utf-8" },
  });
}

/** Redirects to a relative address after a form, or from an address without its slash. */
export function redirect(
  location: string,
  { status = 303, cookie }: { status?: 303 | 308; cookie?: string } = {},
) {
  return new Response(null, {
    status,
    headers: { ...PAGE_HEADERS, location, ...(cookie !== undefined && { "set-cookie": cookie }) },
  });
}
