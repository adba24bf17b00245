import type { Clock } from "../runtime/clock.ts";

/** A viewer who has signed in. */
export interface ViewerSession {
  id: string;
  /** Token that forms of this session contain, so that no other page can send them. */
  token: string;
  /** Milliseconds since 1970. */
  endsAt: number;
}

/** Sessions of the operator's page. They are in memory: a restart ends them. */
export interface ViewerSessions {
  start(): ViewerSession;
  /** Returns a session that has not ended. */
  find(id: string): ViewerSession | undefined;
  end(id: string): void;
  endAll(): void;
}

/** Length of a session. */
export const SESSION_SECONDS = 8 * 60 * 60;
/** Maximum number of sessions. The oldest ends. */
const MAX_SESSIONS = 100;

/** Creates an empty store. */
export function createViewerSessions(
  { clock, newId }: { clock: Clock; newId(prefix: string): string },
): ViewerSessions {
  const sessions = new Map<string, ViewerSession>();
  return {
    start() {
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      const session = {
        id: newId(""),
        token: newId(""),
        endsAt: clock.now() + SESSION_SECONDS * 1000,
      };
      sessions.set(session.id, session);
      return session;
    },
    find(id) {
      const session = sessions.get(id);
      if (session === undefined || session.endsAt > clock.now()) return session;
      sessions.delete(id);
      return undefined;
    },
    end: (id) => void sessions.delete(id),
    endAll: () => sessions.clear(),
  };
}
