import { LOCAL } from "../config/gateway_keys.ts";
import { LossReport } from "../dialects/loss.ts";
import type { DoctorContext } from "./context.ts";
import { prepareTurn } from "../turns/prepare_turn.ts";
import { findRoute } from "../upstreams/find_route.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import type { Route } from "../upstreams/upstream.ts";
import { CLIENT_BETAS, createClientRequest } from "./client_request.ts";
import type { Finding, Section } from "./report.ts";

/** Checks that a model can be used, and tells its window, its price, and what a request of Claude Code loses. */
export async function checkModel(
  context: DoctorContext,
  name: string,
): Promise<{ section: Section; route: Route | undefined }> {
  const title = `Model "${name}"`;
  const caller = { client: LOCAL, betas: CLIENT_BETAS };
  let route: Route;
  try {
    // The list of models is loaded with the key of the gateway, if it has one.
    route = await findRoute(context, name, caller);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { section: { title, findings: [{ mark: "fail", text: why }] }, route: undefined };
  }
  const { facts, dialect, upstream } = route;
  const isListed = Object.values(facts).some((fact) => fact !== undefined);
  const loss = new LossReport();
  await prepareTurn(context, createClientRequest(name), { route, caller, loss });
  const losses = loss.entries.map(([path, action]): Finding => ({
    mark: "note",
    text: `${path}: ${action}`,
  }));
  const findings: Finding[] = [
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
  return { section: { title, findings }, route };
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
