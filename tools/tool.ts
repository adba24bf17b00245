import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { JsonObject, ToolContent, ToolGroup } from "./call.ts";
import { ToolError } from "./errors.ts";
import type { Files } from "./host/files.ts";
import type { SetAsideFile, Shell } from "./host/shell.ts";
import type { Web } from "./host/web.ts";
import type { Models } from "./models.ts";
import type { Session } from "./session.ts";

/** Access of a tool to the machine, the web and the models during one call, within the policy. */
export interface Host {
  /** Aborted if the call ends early: the client disconnected, or the call timed out. */
  readonly signal: AbortSignal;
  readonly files: Files;
  readonly shell: Shell;
  readonly web: Web;
  readonly models: Models;
  readonly session: Session;
}

/** The parts of a host that differ for each call. */
export interface HostCall extends Pick<Host, "signal" | "models" | "session"> {
  /** Called with the protected files that a command has created or changed. */
  onSetAside(files: readonly SetAsideFile[]): void;
}

/**
 * What the calls of a tool do, for clients that ask their user first. The names are those of MCP's annotations, without
 * `Hint`. Source: https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
export type ToolHints =
  & {
    /** True if a call can reach what is outside the gateway and its workspace, such as the web. */
    openWorld: boolean;
  }
  & (
    | { readOnly: true }
    | {
      readOnly: false;
      /** True if a call can remove or replace something, false if it only adds. */
      destructive: boolean;
      /** True if the same call, repeated, changes nothing more. */
      idempotent: boolean;
    }
  );

/** Hints of a tool without any: the least favourable ones. */
const UNKNOWN_HINTS: ToolHints = { readOnly: false, destructive: true, idempotent: false, openWorld: true };

/** The definition of a tool. */
export interface ToolDefinition<Schema extends v.GenericSchema> {
  name: string;
  /** Description for the model. */
  description: string;
  /** The group that enables the tool. A tool without a group is available if any group is enabled. */
  group?: ToolGroup;
  /** True if it runs other tools. It then has no timeout, and waits in a separate queue. */
  nested?: boolean;
  /**
   * True if no result has text that others wrote: of files, pages, commands or other models. Default: false; the
   * gateway then marks the results as untrusted for the model.
   */
  trusted?: boolean;
  /** Default: a tool that may change anything. */
  hints?: ToolHints;
  input: Schema;
  /** Other names that models use for members of the input, each with the name in the schema. */
  aliases?: Readonly<Record<string, string>>;
  /**
   * Runs the tool. A string result becomes one text block.
   *
   * @throws {ToolError} if the call fails. The message states what failed and why.
   */
  run(input: v.InferOutput<Schema>, host: Host): Promise<string | ToolContent[]>;
}

/** A tool of the toolbox. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly group: ToolGroup | undefined;
  readonly nested: boolean;
  readonly trusted: boolean;
  readonly hints: ToolHints;
  /** JSON Schema, draft 2020-12. */
  readonly inputSchema: JsonObject;
  /** @throws {ToolError} if the input is invalid or the call fails. */
  run(input: unknown, host: Host): Promise<ToolContent[]>;
}

/**
 * Declares a tool. Its input is validated before it runs. Unknown members of the input are ignored: models add members
 * over time, and no member can widen the permissions of the tool.
 */
export function defineTool<Schema extends v.GenericSchema>(
  { name, description, group, input: schema, aliases = {}, run, ...options }: ToolDefinition<Schema>,
): Tool {
  const { nested = false, trusted = false, hints = UNKNOWN_HINTS } = options;
  const aliasTargets = new Map(Object.entries(aliases));
  return {
    name,
    description,
    group,
    nested,
    trusted,
    hints,
    inputSchema: { ...toJsonSchema(schema, { target: "draft-2020-12" }) },
    async run(raw, host) {
      const result = v.safeParse(schema, applyAliases(raw, aliasTargets));
      if (!result.success) throw new ToolError(inputErrorMessage(name, result.issues));
      const content = await run(result.output, host);
      return typeof content === "string" ? [{ type: "text", text: content }] : content;
    },
  };
}

/** Renames aliased members to their names in the schema. A member with that name takes precedence. */
function applyAliases(raw: unknown, aliasTargets: ReadonlyMap<string, string>): unknown {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return raw;
  const members: [string, unknown][] = Object.entries(raw);
  const renamed = new Map<string, unknown>();
  for (const [name, value] of members) {
    if (!aliasTargets.has(name)) renamed.set(name, value);
  }
  for (const [name, value] of members) {
    const schemaName = aliasTargets.get(name);
    if (schemaName !== undefined && !renamed.has(schemaName)) renamed.set(schemaName, value);
  }
  return Object.fromEntries(renamed);
}

function inputErrorMessage(name: string, issues: readonly v.BaseIssue<unknown>[]): string {
  const lines = issues.slice(0, 5).map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  return `Cannot use ${name}: ${lines.join("; ")}`;
}
