import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";
import type { ReportedRequest } from "./reported_request.ts";

/**
 * Keeps at most `limit` tools: the one that the client forces, those that the conversation has called, then the first
 * of the list. Reports the others as dropped.
 */
export function withFewerTools(request: MessagesRequest, limit: number, loss: LossReport): ReportedRequest {
  const { tools, tool_choice: choice } = request;
  if (!tools || tools.length <= limit || limit < 1) return { request, loss };
  const called = new Set(
    request.messages.flatMap(({ content }) =>
      typeof content === "string"
        ? []
        : content.flatMap((block) => block.type === "tool_use" ? [block.name] : [])
    ),
  );
  const forced = choice?.type === "tool" ? choice.name : undefined;
  const rank = (name: unknown) => name === forced ? 0 : typeof name === "string" && called.has(name) ? 1 : 2;
  // The sort is stable, so the tools keep the client's order otherwise.
  const kept = tools.map((_tool, at) => at).toSorted((a, b) => rank(tools[a]?.name) - rank(tools[b]?.name))
    .slice(0, limit).toSorted((a, b) => a - b);
  tools.forEach((_tool, at) => {
    if (!kept.includes(at)) loss.add(`tools.${at}`, "dropped");
  });
  return {
    request: { ...request, tools: kept.flatMap((at) => tools[at] ?? []) },
    loss: loss.of((path) => path.replace(/^tools\.(\d+)/, (_all, at) => `tools.${kept[Number(at)] ?? at}`)),
  };
}
