import { logError } from "../observability/log.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import type { PageContext, PageEndpoints } from "./endpoints.ts";
import { createLivePages } from "./live.ts";
import { createViewerSessions } from "./sessions.ts";
import type { PageCall, PageRoute } from "./source.ts";

/** The operator's page, at `/console`. */
export interface OperatorPage {
  routes: readonly PageRoute[];
  /** Ends all sessions, such as after a change of the admin key. */
  signOutAll(): void;
  /**
   * Ends the event streams, after a change of the settings. Browsers open them again, with access under the new ones.
   */
  endStreams(): void;
}

/**
 * Creates the operator's page. Its views are loaded by the first request for it. Its sessions survive a change of the
 * settings.
 */
export function createOperatorPage(
  { shutdown, ...options }: Omit<PageContext, "sessions" | "livePages"> & { shutdown: Shutdown },
): OperatorPage {
  const sessions = createViewerSessions(options);
  const livePages = createLivePages({
    clock: options.clock,
    isStopping: () => shutdown.started,
    onError: (error) => logError("cannot render the operator's page", { error }),
  });
  let endpoints: PageEndpoints | undefined;

  async function load(): Promise<PageEndpoints> {
    const { createEndpoints } = await import("./endpoints.ts");
    return endpoints ??= createEndpoints({ ...options, sessions, livePages });
  }

  const answerGet = async (call: PageCall) => await (await load()).answerGet(call);
  const answerPost = async (call: PageCall) => await (await load()).answerPost(call);
  return {
    routes: [
      { method: "GET", path: "/console", access: "page", answer: answerGet },
      { method: "GET", path: "/console/:name", access: "page", answer: answerGet },
      { method: "POST", path: "/console", access: "page", answer: answerPost },
      { method: "POST", path: "/console/:name", access: "page", answer: answerPost },
    ],
    signOutAll: () => sessions.endAll(),
    endStreams: () => livePages.endAll(),
  };
}
