import { MessageAccumulator } from "../anthropic/collect.ts";
import type { ResponseMessage } from "../anthropic/events.ts";
import type { Steps } from "../anthropic/steps.ts";
import { toEvents } from "../anthropic/to_events.ts";
import { ApiError } from "../base/errors.ts";
import { fromFailure, type RecordedFailure, toFailure } from "./failure.ts";
import type { StepStore } from "./step_store.ts";

/** The recorded end of a turn: its message, or the failure before its content. */
type TurnRecord = { message: ResponseMessage } | { error: RecordedFailure };

/**
 * Creates steps that are recorded.
 *
 * A failure of a turn before its content is recorded too: another model may have been asked because of it, whose
 * tools have run.
 */
export function createRecordedSteps(store: StepStore, run: string): Steps {
  let conversations = 0;
  return createConversation("0000");

  function createConversation(prefix: string): Steps {
    const toFull = (name: string) => `${prefix} ${name}`;
    return {
      next: () => createConversation(String(++conversations).padStart(4, "0")),
      async *ask(name, ask) {
        const recorded = await store.find(run, toFull(name));
        if (recorded !== undefined) return yield toRecordedEvents(JSON.parse(recorded));
        const record = (end: TurnRecord) => store.finish(run, toFull(name), JSON.stringify(end));
        const accumulator = new MessageAccumulator();
        let begun = false;
        try {
          for await (const batch of ask()) {
            begun ||= batch.some(({ type }) => type !== "message_start" && type !== "ping");
            for (const event of batch) accumulator.add(event);
            yield batch;
          }
        } catch (error) {
          if (!begun && error instanceof ApiError) await record({ error: toFailure(error) });
          throw error;
        }
        await record({ message: accumulator.message() });
      },
      async run(name, work, { repeatable, interrupted }) {
        const isFirst = await store.begin(run, toFull(name));
        const recorded = isFirst ? undefined : await store.find(run, toFull(name));
        if (recorded !== undefined) return JSON.parse(recorded);
        const result = isFirst || repeatable ? await work() : interrupted();
        await store.finish(run, toFull(name), JSON.stringify(result));
        return result;
      },
    };
  }
}

function toRecordedEvents(record: TurnRecord) {
  if ("message" in record) return toEvents(record.message);
  throw fromFailure(record.error);
}
