import type { ToolCall, ToolContent, ToolResult } from "../call.ts";
import type { AuditRecord, CallRunner, ToolContext } from "./call_runner.ts";
import { ToolError } from "../errors.ts";
import type { ToolMetrics } from "./metrics.ts";
import { createSessions } from "../session.ts";
import type { Host, HostCall, Tool } from "../tool.ts";

/** Record of protected files that a command has created or changed. */
export interface SetAsideRecord extends Pick<AuditRecord, "client" | "requestId" | "tool"> {
  count: number;
  /** The first files: paths relative to the workspace, and their new names. */
  files: readonly { path: string; newName: string | undefined }[];
}

/** Maximum number of files in a record. */
const MAX_RECORDED_FILES = 20;

/** Options of {@linkcode createToolbox}. */
export interface ToolboxOptions {
  tools: readonly Tool[];
  hostFor(call: HostCall): Host;
  /** Runs the calls. */
  runner: CallRunner;
  /** Called if a command has created or changed protected files. */
  warn(record: SetAsideRecord): void;
}

/** The tools that the gateway runs. */
export interface Toolbox {
  /** The tools that can be offered to a model, in the order of the catalogue. */
  readonly tools: readonly Omit<Tool, "run">[];
  /**
   * Runs a call. A failure becomes an error result for the model.
   *
   * @throws the reason of the signal, if it is aborted.
   */
  run(call: ToolCall, context: ToolContext): Promise<ToolResult>;
  /**
   * Runs `work` in place of the tool of a call, within the same limits and with the same audit record.
   *
   * @throws {ToolError} if the call fails.
   * @throws the reason of the signal, if it is aborted.
   */
  runWithHost<Result>(
    call: ToolCall,
    context: ToolContext,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result>;
  metrics(): ToolMetrics;
}

/** Maximum characters of text in one result. */
const MAX_RESULT_CHARS = 200_000;

/** Creates a toolbox. */
export function createToolbox({ tools, hostFor, runner, warn }: ToolboxOptions): Toolbox {
  const { run, metrics } = runner;
  const toolsByName = new Map(tools.map((tool) => [tool.name, tool]));
  const sessions = createSessions();

  function runWithHost<Result>(
    call: ToolCall,
    context: ToolContext,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const { client, conversation, requestId } = context;
    const nested = toolsByName.get(call.name)?.nested ?? false;
    return run({ ...call, nested }, context, (running) =>
      work(hostFor({
        ...running,
        session: sessions.get(client, conversation),
        onSetAside: (files) =>
          warn({
            client,
            requestId,
            tool: call.name,
            count: files.length,
            files: files.slice(0, MAX_RECORDED_FILES),
          }),
      })));
  }

  return {
    tools,
    runWithHost,
    metrics,
    async run(call, context) {
      const tool = toolsByName.get(call.name);
      try {
        if (tool === undefined) throw new ToolError(`Cannot run ${call.name}: there is no such tool`);
        return {
          content: truncateContent(await runWithHost(call, context, (host) => tool.run(call.input, host))),
          isError: false,
        };
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return { content: [{ type: "text", text: error.message }], isError: true };
      }
    },
  };
}

/** Truncates the text of a result to the maximum, and appends a note on the number of characters cut. */
function truncateContent(content: ToolContent[]): ToolContent[] {
  let left = MAX_RESULT_CHARS;
  return content.map((piece) => {
    if (piece.type !== "text") return piece;
    const text = piece.text.slice(0, left);
    left -= text.length;
    return text === piece.text
      ? piece
      : { type: "text", text: `${text}\n[${piece.text.length - text.length} more characters cut]` };
  });
}
