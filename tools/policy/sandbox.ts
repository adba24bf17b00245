import { GUARD_SCRIPT, guardArguments } from "./resource_guard.ts";
import { shellEnvironment, type ShellPolicy } from "./shell.ts";

/** Paths in `/etc` that programs need to start; `NETWORK_ETC`: to resolve hosts and verify certificates. */
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

/** Mounts and system call filter of a command. */
export interface SandboxOptions {
  /** Paths in the workspace that are mounted read-only. */
  readOnly: readonly string[];
  /** Folders in the workspace whose content may change, but which cannot be moved. */
  fixed: readonly string[];
  filter: Uint8Array;
}

/**
 * Returns the arguments of `bwrap` for one command.
 *
 * The command sees only system programs and libraries, parts of `/etc` and the workspace. It has separate namespaces
 * and no privileges. The inner sandbox mounts the protected paths of the workspace: there a symbolic link that is
 * swapped into such a path cannot lead outside.
 */
export function sandboxArguments(
  command: string,
  policy: ShellPolicy,
  { readOnly, fixed, filter }: SandboxOptions,
): string[] {
  const { root, network, limits } = policy;
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
