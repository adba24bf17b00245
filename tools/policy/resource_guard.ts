/** Values of the guard's first arguments, in this order. */
export interface GuardOptions {
  command: string;
  /** System call filter, as a format for `printf` of bash. */
  filter: string;
  processes: number;
  memoryBytes: number;
  diskBytes: number;
}

/** Returns the guard's arguments, which precede those of the inner sandbox. */
export function guardArguments(
  { command, filter, processes, memoryBytes, diskBytes }: GuardOptions,
): string[] {
  return [command, filter, processes, memoryBytes, diskBytes].map(String);
}

/** Exit code of a killed command (128 + SIGKILL). */
const KILLED_EXIT_CODE = 137;

/** Last segment of a path; fields of a process's `stat` after its name, which may contain any character. */
const LAST_NAME = "${path##*/}";
const AFTER_NAME = "${line##*) }";

const COUNT = "${#all[@]}";

/**
 * Bash script that runs first in the sandbox and enforces the limits. It starts the command in an inner sandbox and
 * measures the resources of all its processes together, about 10 times a second.
 *
 * `ulimit` applies to each process separately, and its process limit does not apply to root. The gateway can rarely
 * create control groups. When the script exits, the kernel kills every other process of the sandbox. The command
 * cannot signal the script, which is process 1 of its PID namespace. It cannot read or trace it either, because the
 * script belongs to the outer user namespace.
 */
export const GUARD_SCRIPT = String.raw`
command=$1 filter=$2 processes=$3 memory=$4 disk=$5
shift 5

# Closes descriptors that were open when the gateway started.
for path in /proc/self/fd/*; do
  file=${LAST_NAME}
  ((file > 2)) && exec {file}>&-
done
while read -r name size _; do [[ $name == KernelPageSize: ]] && break; done </proc/self/smaps
printf 'user:x:1000:1000::/tmp:/bin/bash\n' >/etc/passwd
printf 'user:x:1000:\n' >/etc/group

# Some runtimes pass sockets. Programs cannot reopen a socket as /dev/stdin, /dev/stdout or /dev/stderr.
[[ -c /dev/stdin ]] || exec < <(exec cat)
exec {out}> >(exec cat)
stdout_copier=$!
exec {err}> >(exec cat >&2 {out}>&-)
stderr_copier=$!
exec {exit_pipe}<> <(:)
(
  # If the machine runs out of memory, the kernel kills this process first.
  echo 1000 >/proc/self/oom_score_adj
  # Limits growth between two measurements. If a limit cannot be set, the current one is lower.
  {
    ulimit -c 0
    ulimit -n 4096
    ulimit -u "$((2 * processes))"
    ulimit -d "$((memory / 1024))"
    ulimit -f "$((disk / 1024))"
  } 2>/dev/null
  exec 9< <(printf "$filter")
  bwrap --unshare-user --die-with-parent --new-session --cap-drop ALL --seccomp 9 \
    --dev-bind / / "$@" --remount-ro /proc --remount-ro /dev --remount-ro / \
    -- nice -n 19 bash -c "$command" >&"$out" 2>&"$err" {out}>&- {err}>&- {exit_pipe}>&-
  echo "$?" >&"$exit_pipe"
) <&0 &
child=$!
exec {out}>&- {err}>&- </dev/null >/dev/null

# Stops the command by exiting.
stop() {
  printf '\nThe command was stopped: %s\n' "$1" >&2
  exit ${KILLED_EXIT_CODE}
}

# Kills the remaining processes, waits until their output is copied, and exits with the code $1.
finish() {
  for round in {1..100}; do
    others=0
    for path in /proc/[0-9]*; do
      process=${LAST_NAME}
      ((process == 1 || process == stdout_copier || process == stderr_copier)) && continue
      kill -9 "$process" && others=1
    done 2>/dev/null
    ((others)) || break
    # A killed process takes a moment to disappear.
    read -r -t 0.02 -u "$exit_pipe"
  done
  ((others)) || wait "$stdout_copier" "$stderr_copier"
  exit "$1"
}

# A fork bomb grows faster than its processes can be measured, so they are counted repeatedly meanwhile.
count() {
  all=(/proc/[0-9]*)
  ((${COUNT} > processes)) && stop "it had more than $processes processes"
}

# Waits up to 0.1 s for the exit code, which may arrive in pieces.
poll() {
  read -r -t 0.1 -u "$exit_pipe" piece
  local status=$?
  code+=$piece
  ((status)) || finish "$code"
}

while :; do
  poll
  if ! kill -0 "$child" 2>/dev/null; then
    poll
    finish ${KILLED_EXIT_CODE}
  fi
  seen=0 threads=0 pages=0 written=0
  for path in /proc/[0-9]*; do
    ((seen++ % 16)) || count
    {
      read -r -d '' line <"$path/stat"
      fields=(${AFTER_NAME})
      ((threads += fields[17]))
      read -r _ resident shared _ <"$path/statm" && ((pages += resident - shared))
      while read -r name bytes; do [[ $name == write_bytes: ]] && ((written += bytes)); done <"$path/io"
    } 2>/dev/null
  done
  ((threads > processes)) && stop "it had more than $processes processes"
  ((pages * size > memory / 1024)) && stop "it used more than $((memory >> 20)) MiB of memory"
  ((written > disk)) && stop "it wrote more than $((disk >> 20)) MiB"
done
`;
