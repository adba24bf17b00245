import type { Caller } from "./access.ts";
import type { StreamEvent } from "./anthropic/events.ts";
import type { MessagesRequest } from "./anthropic/schema.ts";
import type { AnswerReader, TurnContext } from "./dialects/mod.ts";
import { ApiError } from "./errors.ts";
import type { Gateway } from "./gateway.ts";
import type { LossReport } from "./loss.ts";
import type { Route } from "./models.ts";
import { readEvents } from "./sse.ts";
import { readWhole, sendTurn } from "./upstream.ts";

/**
 * Asks for one turn and gives the events of its answer, in batches as the network brings them.
 *
 * Whatever wraps it, to run tools or to check the answer, has the same form.
 */
export type Ask = (request: MessagesRequest) => AsyncGenerator<StreamEvent[]>;

/** What an {@linkcode Ask} is bound to. */
export interface AskOptions {
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** Hears what the turn cost, in USD, where the upstream says so. */
  onCost(usd: number): void;
}

/** Creates the {@linkcode Ask} that goes to the upstream of a route. */
export function createAsk(gateway: Gateway, { route, caller, signal, loss, onCost }: AskOptions): Ask {
  return async function* (request) {
    const context: TurnContext = {
      model: route.model,
      alias: route.alias,
      facts: route.facts,
      sessionId: caller.sessionId,
      inputTokens: gateway.inputCounter.guess(request, route),
      newId: gateway.newId,
      loss,
    };
    const reader = route.dialect.createReader(request, context);
    const body = route.dialect.toBody(request, context);
    const response = await sendTurn(gateway, route, { body, caller, signal });
    yield* readAnswer(response, route, reader, signal);
    if (reader.cost !== undefined) onCost(reader.cost);
    if (reader.inputTokens !== undefined) gateway.inputCounter.learn(request, route, reader.inputTokens);
  };
}

async function* readAnswer(
  response: Response,
  { upstream }: Route,
  reader: AnswerReader,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[]> {
  const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") {
    reader.whole(await readWhole(response, upstream));
  } else if (response.body === null || (type !== "" && type !== "text/event-stream")) {
    await response.body?.cancel();
    const what = response.body === null ? "it is empty" : `it is ${type}, neither an event stream nor JSON`;
    throw new ApiError("api_error", `Cannot read the answer of upstream "${upstream.name}": ${what}`, {
      status: 502,
    });
  } else {
    yield* readStream(response.body, upstream.name, reader, signal);
  }
  reader.end();
  yield reader.take();
}

async function* readStream(
  body: ReadableStream<Uint8Array>,
  upstream: string,
  reader: AnswerReader,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[]> {
  try {
    for await (const batch of readEvents(body, signal)) {
      for (const event of batch) reader.push(event);
      const events = reader.take();
      if (events.length > 0) yield events;
    }
  } catch (cause) {
    // What was understood before the failure still belongs to the client.
    const events = reader.take();
    if (events.length > 0) yield events;
    if (signal.aborted) throw signal.reason;
    if (cause instanceof ApiError) throw cause;
    throw new ApiError("api_error", `Cannot finish the answer: upstream "${upstream}" broke its stream off`, {
      status: 502,
      cause,
    });
  }
}
