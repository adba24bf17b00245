import { GUARD_SCRIPT, guardArguments } from "./resource_guard.ts";
import { shellEnvironment, type ShellPolicy } from "./shell.ts";

/** What of `/etc` programs need to start, and what more to find hosts and to check their certificates. */
const BASE_ETC = ["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"];
const NETWORK_ETC = [
  "ca-certificates",
  "gai.conf",
  "host.conf",
  "hosts",
  "nsswitch.conf",
  "pki/ca-trust/extracted",
  "pki/tls/certs",
  "protocols",
  "resolv.conf",
  "services",
  "ssl/cert.pem",
  "ssl/certs",
  "ssl/openssl.cnf",
];

/** What a command runs under beside its policy. */
export interface SandboxOptions {
  /** Paths inside the workspace that stay as they are, and folders that may change but not be moved. */
  readOnly: readonly string[];
  fixed: readonly string[];
  filter: Uint8Array;
}

/**
 * The arguments of `bwrap` for one command: it sees `/usr`, a little of `/etc`, the workspace and nothing else, is
 * alone in its namespaces, and has no privilege. What the workspace holds is mounted by the inner sandbox, where a
 * link that is put in the way leads nowhere.
 */
export function sandboxArguments(
  command: string,
  policy: ShellPolicy,
  { readOnly, fixed, filter }: SandboxOptions,
): string[] {
  const { root, network, readable, limits } = policy;
  const scratch = String(limits.tmpBytes);
  const environment = Object.entries(shellEnvironment(policy, "/tmp"));
  return [
    ...["user", "ipc", "pid", "uts", "cgroup", ...network ? [] : ["net"]].map((name) => `--unshare-${name}`),
    ...["--uid", "1000", "--gid", "1000", "--hostname", "workspace"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--as-pid-1"],
    "--clearenv",
    ...environment.flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--ro-bind", "/usr", "/usr"],
    ...["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store"].flatMap(readOnlyBindIfPresent),
    ...[...BASE_ETC, ...network ? NETWORK_ETC : []].flatMap((name) => readOnlyBindIfPresent(`/etc/${name}`)),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...["--size", scratch, "--tmpfs", "/dev/shm", "--perms", "0700", "--size", scratch, "--tmpfs", "/tmp"],
    ...readable.flatMap(readOnlyBindIfPresent),
    ...["--bind", root, root, "--chdir", root],
    ...["--", "bash", "-c", GUARD_SCRIPT, "guard"],
    ...guardArguments({ command, filter: toPrintfEscapes(filter), ...limits }),
    ...fixed.flatMap((path) => ["--bind", path, path]),
    ...readOnly.flatMap((path) => ["--ro-bind", path, path]),
  ];
}

function readOnlyBindIfPresent(path: string): string[] {
  return ["--ro-bind-try", path, path];
}

function toPrintfEscapes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
