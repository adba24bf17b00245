import type { Caller } from "../access/caller.ts";
import { LOCAL } from "../config/gateway_keys.ts";
import { LossReport } from "../dialects/loss.ts";
import type { DoctorContext } from "./context.ts";
import { prepareTurn } from "../turns/prepare_turn.ts";
import { findTargetRoute } from "../upstreams/find_route.ts";
import { resolveGroups } from "../upstreams/resolve.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import type { Route, RouteTarget } from "../upstreams/upstream.ts";
import { CLIENT_BETAS, createClientRequest } from "./client_request.ts";
import type { Finding, Section } from "./report.ts";

/**
 * Checks that a model can be used, and reports its window, its price, and what a request of Claude Code loses. Of an
 * alias with several targets, each is checked; `route` is that of the first that can be used.
 */
export async function checkModel(
  context: DoctorContext,
  name: string,
): Promise<{ section: Section; route: Route | undefined }> {
  const checked: CheckedTarget[] = [];
  // One after the other: the first loads the list that the next ones use.
  for (const target of resolveGroups(name, context.directory).flat()) {
    checked.push(await checkTarget(context, name, target));
  }
  return {
    section: { title: `Model "${name}"`, findings: checked.flatMap(({ findings }) => findings) },
    route: checked.find(({ route }) => route !== undefined)?.route,
  };
}

/** Result of the check of a target. */
interface CheckedTarget {
  findings: Finding[];
  /** Missing if it cannot be used. */
  route?: Route;
}

async function checkTarget(
  context: DoctorContext,
  name: string,
  target: RouteTarget,
): Promise<CheckedTarget> {
  const caller = { client: LOCAL, betas: CLIENT_BETAS };
  let route: Route;
  try {
    // The list of models is loaded with the key of the gateway, if it has one.
    route = await findTargetRoute(context, target, caller);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = target.hasAlternatives ? `${toRouteLabel(target)}: ${why}` : why;
    return { findings: [{ mark: "fail", text }] };
  }
  return { findings: await describeRoute(context, name, { route, caller }), route };
}

async function describeRoute(
  context: DoctorContext,
  name: string,
  { route, caller }: { route: Route; caller: Caller },
): Promise<Finding[]> {
  const { facts, dialect, upstream } = route;
  const isListed = Object.values(facts).some((fact) => fact !== undefined);
  const loss = new LossReport();
  await prepareTurn(context, createClientRequest(name), { route, caller, loss });
  const losses = loss.entries.map(([path, action]): Finding => ({
    mark: "note",
    text: `${path}: ${action}`,
  }));
  return [
    { mark: "ok", text: `${toRouteLabel(route)}, called with the API "${dialect.name}"` },
    isListed ? { mark: "ok", text: describeFacts(route) } : {
      mark: "note",
      text:
        `upstream "${upstream.name}" does not list it, or gives no list: its window and price are unknown`,
    },
    losses.length === 0
      ? { mark: "ok", text: "a request of Claude Code loses nothing" }
      : { mark: "note", text: "a request of Claude Code loses:" },
    ...losses,
  ];
}

function describeFacts({ facts: { contextLength, maxOutput, price } }: Route): string {
  const parts = [
    contextLength === undefined ? "window unknown" : `window of ${contextLength} tokens`,
    ...(maxOutput === undefined ? [] : [`at most ${maxOutput} tokens of output`]),
    ...(price?.input === undefined ? ["price unknown"] : [
      `$${toPerMillion(price.input)} a million tokens of input, $${
        toPerMillion(price.output ?? 0)
      } of output`,
    ]),
  ];
  return parts.join("; ");
}

function toPerMillion(usd: number): string {
  return (usd * 1_000_000).toFixed(2);
}
