import { parseArgs } from "node:util";

/** Options of the benchmark's command line. */
export interface BenchOptions {
  quick: boolean;
  growth: boolean;
  /** Names or paths of runtimes. */
  runtimes: string[];
  rounds: number;
  /** Matches the names of the scenarios that are measured. */
  scenarios: RegExp;
  /** Further targets, each as `NAME=URL,PID`. */
  targets: string[];
  /** Port of the upstream; 0: any free one. */
  upstreamPort: number;
  /** File for the figures. */
  json: string | undefined;
}

/** Reads the command line of the benchmark. @throws for an unknown option or an invalid value. */
export function toOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      runtimes: { type: "string", default: "node,deno,bun" },
      rounds: { type: "string" },
      scenarios: { type: "string", default: "." },
      target: { type: "string", multiple: true, default: [] },
      "upstream-port": { type: "string", default: "0" },
      json: { type: "string" },
    },
  });
  const { quick, growth, runtimes, target: targets, json } = values;
  return {
    quick,
    growth,
    runtimes: runtimes.split(","),
    rounds: toWhole("--rounds", values.rounds ?? (quick ? "1" : "5"), 1, 1000),
    scenarios: toPattern(values.scenarios),
    targets,
    upstreamPort: toWhole("--upstream-port", values["upstream-port"], 0, 65535),
    json,
  };
}

function toWhole(option: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`Cannot use ${option} "${value}": it is not a whole number from ${least} to ${most}`);
}

function toPattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new Error(`Cannot use --scenarios "${value}": it is not a regular expression`, { cause: error });
  }
}
