import { ApiError } from "../../base/errors.ts";
import type { GatewayContext } from "../context.ts";
import { readPieces } from "../body/body_pieces.ts";

/** Maximum size of a form, in MiB. */
const MAX_FORM_MIB = 1 / 64;

/**
 * Reads the fields of a small form. Its `content-type` has been checked.
 *
 * @throws {ApiError} `request_too_large` past 16 KiB; `invalid_request_error` if it is incomplete or a field is
 * repeated.
 */
export async function readForm(
  request: Request,
  { clock, config }: Pick<GatewayContext, "clock" | "config">,
): Promise<ReadonlyMap<string, string>> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of readPieces(request, { clock, config, maxMiB: MAX_FORM_MIB })) {
    text += decoder.decode(piece, { stream: true });
  }
  const fields = [...new URLSearchParams(text + decoder.decode())];
  const form = new Map(fields);
  // Source: https://www.rfc-editor.org/rfc/rfc6749#section-3.2
  if (form.size < fields.length) {
    throw new ApiError("invalid_request_error", "Cannot read the form: a field is repeated");
  }
  return form;
}
