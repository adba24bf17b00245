import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { JsonObject, ToolContent, ToolGroup } from "./call.ts";
import { ToolError } from "./errors.ts";
import type { Files } from "./host/files.ts";
import type { Shell } from "./host/shell.ts";
import type { Web } from "./host/web.ts";
import type { Models } from "./models.ts";
import type { Session } from "./session.ts";

/** What a tool may act through, for the time of one call; what each part of it may touch is the policy's to say. */
export interface Host {
  /** Fires when the call is over before its time: the client has left, or the time is up. */
  readonly signal: AbortSignal;
  readonly files: Files;
  readonly shell: Shell;
  readonly web: Web;
  readonly models: Models;
  readonly session: Session;
}

/** What a tool is made of. */
export interface ToolDefinition<Schema extends v.GenericSchema> {
  name: string;
  /** For the model. */
  description: string;
  /** The switch that it stands behind; a tool without one is there as soon as any is. */
  group?: ToolGroup;
  /** Whether it has other tools run: then it stands in another line than they, and has no time limit of its own. */
  nested?: boolean;
  input: Schema;
  /** Other names that models have for members of the input, each with the name that the schema has. */
  aliases?: Readonly<Record<string, string>>;
  /** Does what was asked; text is a result of one piece. @throws {ToolError} what could not be done, and why. */
  run(input: v.InferOutput<Schema>, host: Host): Promise<string | ToolContent[]>;
}

/** A tool as the toolbox keeps it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly group: ToolGroup | undefined;
  readonly nested: boolean;
  /** JSON Schema, draft 2020-12. */
  readonly inputSchema: JsonObject;
  /** @throws {ToolError} */
  run(input: unknown, host: Host): Promise<ToolContent[]>;
}

/**
 * Declares a tool. Its input is checked before it runs; members that it does not know are ignored, for the
 * vocabulary of models moves, and nothing in them can widen what the tool may do.
 */
export function defineTool<Schema extends v.GenericSchema>(
  { name, description, group, nested = false, input: schema, aliases = {}, run }: ToolDefinition<Schema>,
): Tool {
  const aliasTargets = new Map(Object.entries(aliases));
  return {
    name,
    description,
    group,
    nested,
    inputSchema: { ...toJsonSchema(schema, { target: "draft-2020-12" }) },
    async run(raw, host) {
      const result = v.safeParse(schema, applyAliases(raw, aliasTargets));
      if (!result.success) throw new ToolError(inputErrorMessage(name, result.issues));
      const content = await run(result.output, host);
      return typeof content === "string" ? [{ type: "text", text: content }] : content;
    },
  };
}

/** Gives members the names that the schema has; one that is there under its own name stays. */
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
