import { ADMIN } from "../config/gateway_keys.ts";
import { ApiError } from "../base/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CreateReplayGateway } from "../replay/replay.ts";
import { ASSETS } from "./assets.ts";
import { type Frame, renderDocument, type Theme, toSwapped } from "./layout.ts";
import type { LivePages } from "./live.ts";
import { answerDocument, PAGE_HEADERS, redirect } from "./responses.ts";
import type { ViewerSessions } from "./sessions.ts";
import { renderSignIn, type SignInFault } from "./sign_in.ts";
import type { PageCall, PageServer } from "./source.ts";
import type { View, ViewCall } from "./view.ts";
import { checkSite, findViewer, hostOf, readCookie, type Viewer, writeSessionCookie } from "./viewer.ts";
import { loadStoredErrors } from "./views/errors/stored.ts";
import { VIEWS } from "./views.ts";

/** What the endpoints of the page share. */
export interface PageContext {
  clock: Clock;
  newId(prefix: string): string;
  sessions: ViewerSessions;
  livePages: LivePages;
  /** Creates a gateway that translates a recording again. */
  createReplayGateway: CreateReplayGateway;
  server: PageServer;
}

/** The endpoints of the page, by their methods. */
export interface PageEndpoints {
  answerGet(call: PageCall): Promise<Response>;
  answerPost(call: PageCall): Promise<Response>;
}

/** Creates the endpoints of the operator's page. */
export function createEndpoints(
  { clock, newId, sessions, livePages, createReplayGateway, server }: PageContext,
): PageEndpoints {
  let tokens: { open: string; placeholder: string } | undefined;

  /**
   * Returns the token of viewers without a session, and what stands for the token in what all viewers share. They are
   * made with the first request: Workers have no randomness before it.
   */
  function readTokens() {
    return tokens ??= { open: newId(""), placeholder: newId("") };
  }

  /** Replaces the placeholder by the token of a viewer. */
  function personalize(text: string, { token }: Viewer): string {
    return text.replaceAll(readTokens().placeholder, token);
  }

  function toViewCall({ request, gateway }: PageCall, query: URLSearchParams): ViewCall {
    return {
      gateway,
      query,
      now: clock.now(),
      host: hostOf(request),
      createReplayGateway,
      operateServer: server.operateServer,
      token: readTokens().placeholder,
    };
  }

  function signInPage(
    { request, gateway }: PageCall,
    { fault, next }: { fault?: SignInFault; next: string },
  ) {
    const { hasAdmin } = gateway.access.apiKeys;
    const page = renderSignIn({ host: hostOf(request), theme: readTheme(request), fault, hasAdmin, next });
    return answerDocument(page, fault === undefined ? 200 : 401);
  }

  async function answerView(call: PageCall, view: View, viewer: Viewer): Promise<Response> {
    const { gateway, request } = call;
    const viewCall = toViewCall(call, new URL(request.url).searchParams);
    await loadStoredErrors(gateway);
    const page = await view.render(viewCall);
    const frame: Frame = {
      views: VIEWS,
      theme: readTheme(request),
      unresolved: countUnresolved(call),
      signedIn: viewer.session !== undefined,
      startedAt: gateway.operations.counters.startedAt,
    };
    const document = String(renderDocument(view, page, viewCall, frame));
    return answerDocument(personalize(document, viewer), page.status);
  }

  function answerEvents(call: PageCall, viewer: Viewer): Response {
    const { request, requestLog } = call;
    const query = new URL(request.url).searchParams;
    const view = VIEWS.find(({ name }) => name === query.get("view"));
    if (view === undefined) throw notFound(call);
    query.delete("view");
    query.sort();
    const headers = { ...PAGE_HEADERS, "content-type": "text/event-stream; charset=utf-8" };
    // The script asks so whether the session has ended.
    if (request.method === "HEAD") return new Response(null, { headers });
    const stream = livePages.open({
      address: `${view.name}?${query}`,
      async render() {
        const page = await view.render(toViewCall(call, query));
        return { title: page.title, parts: toSwapped(page, countUnresolved(call)), live: page.live };
      },
      personalize: (html) => personalize(html, viewer),
      isValid: viewer.isValid,
      onEnd: () => requestLog.end("finished", 200),
    });
    if (stream === undefined) {
      throw new ApiError(
        "overloaded_error",
        "Cannot open a stream of the operator's page: too many are open",
      );
    }
    requestLog.streaming = true;
    return new Response(stream, { headers });
  }

  /**
   * Starts a session with the admin key. Wrong keys are not limited: every endpoint takes a key in a header, and a
   * limit for all addresses together would let a stranger lock the operator out.
   */
  async function signIn(call: PageCall): Promise<Response> {
    const { request, gateway } = call;
    const form = await readForm(call, server);
    const next = toViewAddress(form.get("next") ?? "");
    if (await gateway.access.apiKeys.match(form.get("key")?.trim() ?? "") !== ADMIN) {
      return signInPage(call, { fault: "wrong_key", next });
    }
    return redirect(next, { cookie: writeSessionCookie(request, sessions.start()) });
  }

  async function change(call: PageCall, view: View | undefined, viewer: Viewer): Promise<Response> {
    const form = await readForm(call, server);
    if (form.get("token") !== viewer.token) {
      throw new ApiError("permission_error", "Cannot accept the form: reload the page and send it again");
    }
    if (view === undefined) {
      if (viewer.session !== undefined) sessions.end(viewer.session.id);
      return redirect("sign-in", { cookie: writeSessionCookie(call.request, undefined) });
    }
    const name = form.get("action") ?? "";
    const actions = view.actions ?? {};
    if (!Object.hasOwn(actions, name)) throw notFound(call);
    const location = await actions[name]?.(toViewCall(call, new URL(call.request.url).searchParams), form);
    return redirect(location ?? ".");
  }

  async function answerGet(call: PageCall): Promise<Response> {
    const name = call.params.name ?? "";
    const { pathname, search } = new URL(call.request.url);
    // Relative links need the slash; a relative address keeps the prefix that a proxy has removed.
    if (name === "" && !pathname.endsWith("/")) return redirect(`console/${search}`, { status: 308 });
    const asset = ASSETS.get(name);
    if (asset !== undefined) return answerAsset(asset);
    checkSite(call.request);
    const viewer = findViewer(call, { sessions, openToken: readTokens().open });
    if (name === "sign-in") return viewer === undefined ? signInPage(call, { next: "" }) : redirect(".");
    if (viewer === undefined && name === "events") {
      throw new ApiError("authentication_error", "Cannot open the stream: the session has ended");
    }
    if (viewer === undefined) return signInPage(call, { next: `${name}${search}` });
    if (name === "events") return answerEvents(call, viewer);
    const view = VIEWS.find((view) => view.name === name);
    if (view !== undefined) return await answerView(call, view, viewer);
    const download = VIEWS.flatMap(({ downloads = {} }) => Object.entries(downloads)).find(([file]) =>
      file === name
    )?.[1];
    if (download === undefined) throw notFound(call);
    const response = await download(toViewCall(call, new URL(call.request.url).searchParams));
    for (const [header, value] of Object.entries(PAGE_HEADERS)) response.headers.set(header, value);
    return response;
  }

  async function answerPost(call: PageCall): Promise<Response> {
    const name = call.params.name ?? "";
    checkSite(call.request);
    if (name === "sign-in") return await signIn(call);
    const viewer = findViewer(call, { sessions, openToken: readTokens().open });
    if (viewer === undefined) return signInPage(call, { fault: "ended", next: name });
    const view = VIEWS.find((view) => view.name === name);
    if (view === undefined && name !== "sign-out") throw notFound(call);
    return await change(call, view, viewer);
  }

  return { answerGet, answerPost };
}

function answerAsset({ type, text }: { type: string; text: string }): Response {
  return new Response(text, { headers: { ...PAGE_HEADERS, "content-type": type } });
}

function readTheme(request: Request): Theme {
  const theme = readCookie(request, "console-theme");
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Returns the relative address of a view, with its query; Now for anything else, such as another site. */
function toViewAddress(address: string): string {
  const [name = "", ...query] = address.split("?");
  if (!VIEWS.some((view) => view.name === name) || name === "") {
    return query.length > 0 ? `.?${new URLSearchParams(query.join("?"))}` : ".";
  }
  return query.length > 0 ? `${name}?${new URLSearchParams(query.join("?"))}` : name;
}

/** Reads the fields of a form. @throws {ApiError} `invalid_request_error`, `request_too_large` */
async function readForm(call: PageCall, server: PageServer): Promise<URLSearchParams> {
  const type = call.request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new ApiError(
      "invalid_request_error",
      "Cannot read the form: only application/x-www-form-urlencoded is accepted",
    );
  }
  return new URLSearchParams(await server.readForm(call));
}

function notFound({ request }: PageCall): ApiError {
  return new ApiError(
    "not_found_error",
    `Cannot ${request.method} ${
      new URL(request.url).pathname.slice(0, 200)
    }: the page has no such view or action`,
  );
}

function countUnresolved({ gateway }: PageCall): number {
  return gateway.operations.traffic.errors.countUnresolved();
}
