import { toLocalUrl } from "../base/local_url.ts";
import { parseConfig } from "../config/parse.ts";
import { examine } from "../doctor/doctor.ts";
import { writeReport } from "../doctor/report.ts";
import { printLine, startLog } from "../observability/log.ts";
import type { CommandServices } from "./command.ts";
import { readFlags } from "./flags.ts";
import { readSources } from "./sources.ts";

/**
 * Runs `doctor`: checks the upstreams, their keys, the models, the tools, the MCP servers and the folders of the
 * settings. `--model` selects the model; by default those of the aliases `big` and `small` are checked. Returns 1 if a
 * check fails.
 *
 * @throws {ConfigError} if the settings are invalid.
 */
export async function runDoctor(
  args: readonly string[],
  { createGatewayContext }: CommandServices,
): Promise<number> {
  const flags = readFlags(args);
  const sources = await readSources(flags);
  const config = parseConfig(sources);
  const { host, port } = config;
  startLog("off");
  const model = flags.values.ANTHROPIC_MODEL;
  const sections = await examine(createGatewayContext(config, { host }), {
    models: model === undefined ? ["big", "small"] : [model],
    // The files of secrets are after it.
    configFile: sources.file && sources.files[0],
    url: toLocalUrl(host, port),
  });
  printLine(writeReport(sections));
  return sections.some(({ findings }) => findings.some(({ mark }) => mark === "fail")) ? 1 : 0;
}
