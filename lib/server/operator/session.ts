import { ApiError } from "../../base/errors.ts";
import { quote } from "../../base/redact.ts";
import type { LimitLeft } from "../../limits/limits_left.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import type { ModelUse, Session } from "./session_store.ts";

/**
 * Answers `GET /v1/sessions/{id}` with the models, tokens and cost of a session of the caller's key since the start of
 * the gateway, and with what is left of the limits. With `accept: text/plain` the answer is one line, for a status
 * line; `?model=` selects the model that it shows, by the name in requests.
 *
 * @throws {ApiError} `not_found_error` if the key has no such session.
 */
export async function answerSession(
  { request, gateway: { operations, limits }, requestLog: { caller }, params: { id = "" } }: RoutedCall,
): Promise<Response> {
  const session = operations.sessions.find(caller.client, id);
  if (session === undefined) {
    throw new ApiError(
      "not_found_error",
      `Cannot find session ${quote(id)}: this key has sent no message in it`,
    );
  }
  const left = await limits.left({ client: caller.client, sessionId: id });
  if (request.headers.get("accept")?.startsWith("text/plain")) {
    const line = toLine(session, left, new URL(request.url).searchParams.get("model"));
    return new Response(`${line}\n`, { headers: { "content-type": "text/plain; charset=utf-8" } });
  }
  const { startedAt, lastAt, requests, failed, models } = session;
  return Response.json({
    id,
    type: "session",
    started_at: new Date(startedAt).toISOString(),
    last_at: new Date(lastAt).toISOString(),
    requests,
    failed,
    answered_by: models.at(-1)?.answered_by ?? null,
    usage: sumUse(models),
    models,
    limits: left,
  });
}

/** Sums of the uses of models. */
function sumUse(models: readonly ModelUse[]) {
  const sum = (count: (use: ModelUse) => number) => models.reduce((total, use) => total + count(use), 0);
  return {
    input_tokens: sum((use) => use.input_tokens),
    output_tokens: sum((use) => use.output_tokens),
    cache_read_input_tokens: sum((use) => use.cache_read_input_tokens),
    cost_usd: sum((use) => use.cost_usd),
  };
}

/** Returns `model · 12.3k in, 4.5k out · $0.25 · $4.75 left today`. */
function toLine({ models }: Session, left: readonly LimitLeft[], model: string | null): string {
  const shown = models.find((use) => use.model === model) ?? models.at(-1);
  const { input_tokens, output_tokens, cache_read_input_tokens, cost_usd } = sumUse(models);
  const parts = [
    shown?.answered_by ?? "",
    `${toShort(input_tokens + cache_read_input_tokens)} in, ${toShort(output_tokens)} out`,
    `$${cost_usd.toFixed(2)}`,
    ...left.flatMap(({ scope, limit, left }) => {
      const period = PERIODS.get(limit);
      if (period === undefined) return [];
      return [`$${left.toFixed(2)} left ${period}${scope === "session" ? " for this session" : ""}`];
    }),
  ];
  // The name of a model is chosen by the client, and a terminal shows the line.
  return parts.join(" · ").replace(/[^\P{C}]/gu, "");
}

const PERIODS: ReadonlyMap<string, string> = new Map([["usd_day", "today"], ["usd_month", "this month"]]);

/** 12345 -> `12.3k` */
function toShort(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
