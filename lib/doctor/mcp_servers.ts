import type { DoctorContext } from "./context.ts";
import type { Finding } from "./report.ts";

/** Time for a server to list its tools, in milliseconds. Its start has a limit of its own. */
const LIST_TIMEOUT_MS = 10_000;

/** Starts each MCP server of the configuration as a message would, counts its tools, and ends all of them. */
export async function checkMcpServers(context: DoctorContext): Promise<Finding[]> {
  const { mcpServers, loadManagedServers } = context;
  if (loadManagedServers === undefined) return [{ mark: "ok", text: "none: MCP_CONFIG names no server" }];
  try {
    return await Promise.all(mcpServers.map(({ config: { name } }) => checkServer(context, name)));
  } finally {
    await context.stopServers();
  }
}

async function checkServer({ loadManagedServers, clock }: DoctorContext, name: string): Promise<Finding> {
  const timeout = new AbortController();
  const cancel = clock.after(
    LIST_TIMEOUT_MS,
    () => timeout.abort(new Error(`it has not listed its tools within ${LIST_TIMEOUT_MS / 1000} s`)),
  );
  try {
    const control = await loadManagedServers?.();
    await control?.start(name);
    const list = await control?.tools(name, timeout.signal);
    const rejected = list?.rejected.map((tool) => `${tool.name} (${tool.reason})`) ?? [];
    const text = `${name}: ${list?.tools.length ?? 0} tools`;
    return rejected.length === 0
      ? { mark: "ok", text }
      : { mark: "note", text: `${text}; cannot be offered: ${rejected.join(", ")}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { mark: "fail", text: `${name}: ${why.replaceAll("\n", " | ")}` };
  } finally {
    cancel();
  }
}
