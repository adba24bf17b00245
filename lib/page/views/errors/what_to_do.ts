import type { ErrorGroup } from "../../../observability/traffic/error_groups.ts";
import { type Html, markup } from "../../elements/html.ts";

/** What an operator can do about a group of errors; undefined if nothing is known. */
export function whatToDo({ failure, type, status, source, models }: ErrorGroup): Html | undefined {
  switch (failure) {
    case "limit":
      return type === "billing_error"
        ? markup`Nothing, if the budget is meant so. Otherwise raise it in <code>LIMITS</code>.`
        : markup`Nothing, if the limit is meant so: clients wait and try again. Otherwise raise it in <code>LIMITS</code>.`;
    case "access":
      return markup`Check the key that the client sends against <code>GATEWAY_API_KEYS</code>, and its address against <code>ALLOWED_HOSTS</code>.`;
    case "client":
      return type === "not_found_error"
        ? markup`Correct the name in the client, or add it to <code>MODEL_MAP</code>.`
        : markup`The client sent a request that is not valid: see the message.`;
    case "store":
      return markup`Check the store that the message names, and its disk: <code>DATA_DIR</code> or <code>DATA_URL</code>, <code>KEY_STORE</code>, <code>RATE_LIMIT_STORE</code>, or the durable engine.`;
    case "gateway":
      return type === "overloaded_error"
        ? markup`Raise the limits of concurrency and memory, or start more gateways.`
        : markup`This is a defect of the gateway. Please report it, with the stack below.`;
    case "upstream":
      return forUpstream({ type, status, source, model: models[0] });
  }
}

function forUpstream(
  { type, status, source, model }: {
    type: string;
    status: number;
    source: string;
    model: string | undefined;
  },
): Html | undefined {
  if (status === 401 || status === 403 || type === "authentication_error" || type === "permission_error") {
    return markup`Check the key of upstream <code>${source}</code>: it is refused.`;
  }
  if (status === 402 || type === "billing_error") {
    return markup`Add credit to the account of upstream <code>${source}</code>.`;
  }
  if (status === 404) {
    return markup`Correct the name of the model: upstream <code>${source}</code> does not have it.`;
  }
  if (status === 429 || status === 529) {
    return markup`Set a fallback for <code>${
      model ?? "the model"
    }</code> in <code>MODEL_MAP</code>, or raise <code>UPSTREAM_RETRIES</code>.`;
  }
  if (status === 504 || status === 408) return markup`Set a fallback, or a longer timeout: see the settings.`;
  if (status >= 500) {
    return markup`Set a fallback for <code>${model ?? "the model"}</code> in <code>MODEL_MAP</code>.`;
  }
  return undefined;
}
