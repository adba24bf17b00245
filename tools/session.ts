import { ToolError } from "./errors.ts";

/** State of a conversation that is kept between tool calls. */
export interface Session {
  /** Version of each file when the model last read or wrote it, by path. */
  readonly seen: Map<string, string>;
  todos: Todo[];
}

/** An entry of the to-do list. */
export interface Todo {
  id: string;
  content: string;
  status: "pending" | "in_progress" | "completed";
  activeForm?: string | undefined;
  priority?: "high" | "medium" | "low" | undefined;
  /** Details. */
  description?: string | undefined;
  /** Due date, as worded by the model. */
  dueDate?: string | undefined;
  tags?: readonly string[] | undefined;
}

/** The sessions of all conversations that have used a tool. */
export interface Sessions {
  /** Returns the session of a client's conversation, and creates it at the first call. */
  get(client: string, conversation: string): Session;
}

/**
 * Maximum number of files in a session, checked at each call. Files beyond it are forgotten in the order in which they
 * were added. The model must read a forgotten file again before it can change it.
 */
const MAX_SEEN_FILES = 1000;

/** Maximum length of the to-do list, in characters of its JSON. */
const MAX_TODO_CHARS = 50_000;

/**
 * Replaces the to-do list of a session.
 *
 * @throws {ToolError} if its JSON is longer than 50,000 characters.
 */
export function setTodos(session: Session, todos: Todo[]): void {
  if (JSON.stringify(todos).length > MAX_TODO_CHARS) {
    throw new ToolError(
      `Cannot store the list: it is longer than ${MAX_TODO_CHARS} characters; shorten it`,
    );
  }
  session.todos = todos;
}

/** Maximum number of sessions of a client. Beyond it, its least recently used one is removed. */
const MAX_CONVERSATIONS = 1000;

/** Creates a store of sessions, empty at first. */
export function createSessions(): Sessions {
  const clients = new Map<string, Map<string, Session>>();
  return {
    get(client, conversation) {
      const sessions = clients.get(client) ?? new Map<string, Session>();
      clients.set(client, sessions);
      const session = sessions.get(conversation) ?? { seen: new Map(), todos: [] };
      sessions.delete(conversation);
      sessions.set(conversation, session);
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
 * Checks that the model has read a file before it changes it, and that the file is still the same.
 *
 * @throws {ToolError} if the file has not been read, or has changed since. The message advises to read it.
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
