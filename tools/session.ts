import { ToolError } from "./errors.ts";

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
  get(client: string, conversation: string): Session;
}

/** How many files a conversation knows; of more the model has to read those again that it saw longest ago. */
const MAX_SEEN_FILES = 1000;

/** The longest list of what is to do, as JSON in characters. */
const MAX_TODO_CHARS = 50_000;

/**
 * Puts a list of what is to do in the place of the one before.
 *
 * @throws {ToolError} if it is longer than is kept.
 */
export function setTodos(session: Session, todos: Todo[]): void {
  if (JSON.stringify(todos).length > MAX_TODO_CHARS) {
    throw new ToolError(
      `Cannot keep a list of more than ${MAX_TODO_CHARS} characters: say it in fewer words`,
    );
  }
  session.todos = todos;
}

/** How many conversations are remembered; the one that was used longest ago is forgotten first. */
const MAX_CONVERSATIONS = 1000;

/** Creates the memory of conversations, as yet empty. */
export function createSessions(): Sessions {
  const sessions = new Map<string, Session>();
  return {
    get(client, conversation) {
      const key = JSON.stringify([client, conversation]);
      const session = sessions.get(key) ?? { seen: new Map(), todos: [] };
      sessions.delete(key);
      sessions.set(key, session);
      for (const path of session.seen.keys()) {
        if (session.seen.size <= MAX_SEEN_FILES) break;
        session.seen.delete(path);
      }
      const [oldest] = sessions.keys();
      if (sessions.size > MAX_CONVERSATIONS && oldest !== undefined) sessions.delete(oldest);
      return session;
    },
  };
}

/**
 * Makes sure that a model knows what it is about to change: it has seen the file, and the file is still what it
 * was then.
 *
 * @throws {ToolError} if not, with what to do.
 */
export function requireCurrentRead(
  session: Session,
  { path, version }: { path: string; version: string },
): void {
  const seen = session.seen.get(path);
  if (seen === undefined) {
    throw new ToolError(`Cannot change "${path}": it has not been read yet; read it first`);
  }
  if (seen !== version) {
    throw new ToolError(`Cannot change "${path}": it has changed since it was read; read it again first`);
  }
}
