import type { StreamEvent } from "./events.ts";
import type { MessagesRequest } from "./schema.ts";

/**
 * Asks for one turn and gives the events of its answer, in batches as the network brings them.
 *
 * Whatever wraps it, to run tools or to check the answer, has the same form.
 */
export type Ask = (request: MessagesRequest) => AsyncGenerator<StreamEvent[]>;
