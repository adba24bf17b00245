import type { StreamEvent } from "./events.ts";
import type { MessagesRequest } from "./schema.ts";

/**
 * Sends one turn to the upstream and yields the events of its answer, in batches as they arrive.
 *
 * Wrappers, such as the tool loop, have the same type.
 */
export type Ask = (request: MessagesRequest) => AsyncGenerator<StreamEvent[]>;
