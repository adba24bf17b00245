import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import { VERSION } from "../base/version.ts";
import { LOCAL } from "../config/gateway_keys.ts";
import { checkDatabase, type DataDirState } from "../durable/data_dir_check.ts";
import { openDataDir } from "../durable/data_dir.ts";
import { describeRuntime } from "../runtime/process.ts";
import type { DoctorContext } from "./context.ts";
import type { Route } from "../upstreams/upstream.ts";
import type { UpstreamCheck } from "../upstreams/upstream_check.ts";
import { checkMcpServers } from "./mcp_servers.ts";
import { checkModel } from "./model.ts";
import type { Finding, Section } from "./report.ts";

/** Options of {@linkcode examine}. */
export interface ExamineOptions {
  /** Models to check, as a client names them. */
  models: readonly string[];
  /** Address that clients reach the gateway at. */
  url: string;
  /** Path of the configuration file that the settings were read from. */
  configFile?: string | undefined;
}

/**
 * Checks what a gateway of these settings depends on: upstreams and their keys, models, tools and their sandbox, MCP
 * servers, which are started and ended again, and folders. Sends no message to a model. The last section has the lines
 * that connect Claude Code.
 */
export async function examine(
  context: DoctorContext,
  { models, url, configFile }: ExamineOptions,
): Promise<Section[]> {
  const checked = [];
  // One after the other: the first loads the list that the next ones use.
  for (const model of models) checked.push(await checkModel(context, model));
  const { name, version } = describeRuntime();
  const [first] = checked;
  return [
    {
      title: "Gateway",
      findings: [
        { mark: "ok", text: `version ${VERSION} on ${name} ${version}` },
        {
          mark: "ok",
          text: configFile === undefined
            ? "no configuration file"
            : `the configuration file ${configFile} is valid`,
        },
      ],
    },
    { title: "Upstreams", findings: await checkUpstreams(context) },
    ...checked.map(({ section }) => section),
    { title: "Tools", findings: await checkTools(context) },
    { title: "MCP servers", findings: await checkMcpServers(context) },
    { title: "Files", findings: await checkFolders(context) },
    {
      title: "Claude Code",
      findings: [
        { mark: "ok", text: `export ANTHROPIC_BASE_URL=${url}` },
        { mark: "ok", text: `export ANTHROPIC_AUTH_TOKEN=${describeToken(context, first?.route)}` },
        ...(models[0] === undefined
          ? []
          : [{ mark: "ok" as const, text: `export ANTHROPIC_MODEL=${models[0]}` }]),
        ...(first?.route?.facts.contextLength === undefined ? [] : [{
          mark: "ok" as const,
          text: `export CLAUDE_CODE_MAX_CONTEXT_TOKENS=${first.route.facts.contextLength}`,
        }]),
      ],
    },
  ];
}

async function checkUpstreams({ upstreamChecks, directory }: DoctorContext): Promise<Finding[]> {
  const checks = await upstreamChecks.run();
  return [...directory.upstreams.values()].filter(({ fetch }) => fetch === undefined).map(
    ({ name, baseUrl }) => {
      const check = checks.get(name);
      return { mark: toMark(check), text: `${name} at ${baseUrl}: ${describe(check)}` };
    },
  );
}

function toMark(check: UpstreamCheck | undefined): Finding["mark"] {
  if (check?.status === "healthy") return check.key === "valid" ? "ok" : "note";
  return check === undefined || check.status === "unchecked" ? "note" : "fail";
}

function describe(check: UpstreamCheck | undefined): string {
  switch (check?.status) {
    case "healthy":
      return {
        valid: "the key is valid",
        not_set: "it answers; no key is set",
        unknown: "it answers; the key is unchecked",
        rejected: "",
      }[check.key];
    case "key_rejected":
      return "it rejects the key";
    case "unreachable":
      return `it cannot be reached or fails (${check.code ?? check.error})`;
    case "unchecked":
    case undefined:
      return "not checked";
  }
}

/** Loads the tools, and runs a command in the sandbox if they have a shell. */
async function checkTools({ loadToolbox, config, newId }: DoctorContext): Promise<Finding[]> {
  if (loadToolbox === undefined || config.tools === undefined) {
    return [{ mark: "ok", text: "off: no tool runs on this machine" }];
  }
  const groups = [...config.tools].join(", ");
  try {
    const toolbox = await loadToolbox();
    if (!config.tools.has("shell")) return [{ mark: "ok", text: `${groups} in ${config.workspaceRoot}` }];
    const { isError, content } = await toolbox.run(
      { id: "doctor", name: "Bash", input: { command: "true" } },
      toolContext(newId("doctor_")),
    );
    const output = JSON.stringify(content).slice(0, 300);
    return [
      { mark: "ok", text: `${groups} in ${config.workspaceRoot}` },
      isError
        ? { mark: "fail", text: `the sandbox does not work: ${output}` }
        : { mark: "ok", text: "the sandbox works" },
    ];
  } catch (error) {
    return [{ mark: "fail", text: error instanceof Error ? error.message : String(error) }];
  }
}

function toolContext(id: string): ToolContext {
  const refuse = () => Promise.reject(new Error("No model is asked"));
  return {
    client: LOCAL,
    conversation: id,
    requestId: id,
    signal: new AbortController().signal,
    models: { complete: refuse, runSubagent: refuse, search: refuse },
  };
}

async function checkFolders({ operations, config, newId }: DoctorContext): Promise<Finding[]> {
  const { errors, bodies, recordings } = operations;
  const data = config.dataDir === undefined ? undefined : await checkDataDir(config.dataDir, newId);
  const folders: [setting: string, used: boolean, failure: string | undefined, size?: string | undefined][] =
    [
      ["LOG_DIR", config.logDir !== undefined, errors.failure ?? bodies?.failure],
      ["RECORD_DIR", config.recordDir !== undefined, recordings?.failure],
      ["STATE_DIR", config.stateDir !== undefined, undefined],
      ["DATA_DIR", data !== undefined, data?.failure, describeSize(data)],
    ];
  return folders.map(([setting, used, failure, size = ""]) => {
    if (!used) return { mark: "ok", text: `${setting} is not set` };
    return failure === undefined
      ? { mark: "ok", text: `${setting} can be written${size}` }
      : { mark: "fail", text: `${setting}: ${failure}` };
  });
}

/** Opens `DATA_DIR` as the gateway does, which creates it, and closes it again. */
async function checkDataDir(folder: string, newId: (prefix: string) => string): Promise<DataDirState> {
  try {
    const dataDir = openDataDir(folder, { newId });
    try {
      return await checkDatabase(dataDir);
    } finally {
      await dataDir.close();
    }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error), bytes: undefined };
  }
}

function describeSize(state: DataDirState | undefined): string | undefined {
  return state?.bytes === undefined ? undefined : `; ${(state.bytes / 1024 / 1024).toFixed(1)} MiB are used`;
}

/** Describes the token that a client needs. The gateway holds only digests of its keys. */
function describeToken({ access, directory }: DoctorContext, route: Route | undefined): string {
  if (access.apiKeys.required) return "(a key of the gateway)";
  const upstream = route?.upstream ?? directory.upstreams.values().next().value;
  return upstream?.acceptsClientKey && upstream.key === undefined
    ? "(your key for the upstream)"
    : "any-text";
}
