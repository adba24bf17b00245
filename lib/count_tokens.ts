import { readCaller } from "./access.ts";
import { parseCountTokensRequest } from "./anthropic/parse.ts";
import { readJson } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import type { Gateway } from "./gateway.ts";
import { findRoute, toHeaderName } from "./route.ts";
import { countByRuns, estimateTokens } from "./tokens.ts";

/**
 * Answers `POST /v1/messages/count_tokens` here, without asking anybody: an estimate, which the contract allows, and
 * `x-token-count-source` says so. Source: https://platform.claude.com/docs/en/build-with-claude/token-counting
 *
 * @throws {ApiError} if the request is not valid.
 */
export async function answerCountTokens(
  request: Request,
  gateway: Gateway,
  exchange: Exchange,
): Promise<Response> {
  const counted = parseCountTokensRequest(await readJson(request));
  const route = await findRoute(gateway, counted.model, readCaller(request));
  exchange.note({ model: counted.model, answeredBy: toHeaderName(route) });
  const input_tokens = estimateTokens({ ...counted, model: route.model }, countByRuns);
  return Response.json({ input_tokens }, { headers: { "x-token-count-source": "estimate" } });
}
