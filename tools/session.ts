/** What lasts from one call of a conversation to the next. */
export interface Session {
  /** The version of each file as the model last saw it, by path. */
  readonly seen: Map<string, string>;
  todos: Todo[];
}

/** One thing to do. */
export interface Todo {
  id: string;
  content: string;
  status: "pending" | "in_progress" | "completed";
  activeForm?: string | undefined;
  priority?: "high" | "medium" | "low" | undefined;
  /** More about it. */
  description?: string | undefined;
  /** Until when, in the model's words. */
  dueDate?: string | undefined;
  tags?: readonly string[] | undefined;
}

/** The conversations that have used a tool. */
export interface Sessions {
  /** Gives what lasts of a client's conversation. */
  of(client: string, conversation: string): Session;
}

/** How many conversations are remembered; the one that was used longest ago is forgotten first. */
const MOST = 1000;

/** Creates the memory of conversations, as yet empty. */
export function createSessions(): Sessions {
  const sessions = new Map<string, Session>();
  return {
    of(client, conversation) {
      const key = JSON.stringify([client, conversation]);
      const session = sessions.get(key) ?? { seen: new Map(), todos: [] };
      sessions.delete(key);
      sessions.set(key, session);
      const [oldest] = sessions.keys();
      if (sessions.size > MOST && oldest !== undefined) sessions.delete(oldest);
      return session;
    },
  };
}
