/** Values of the guard's first arguments, in this order. */
export interface GuardOptions {
  command: string;
  /** System call filter, as a format for `printf` of bash. */
  filter: string;
  processes: number;
  memoryBytes: number;
  diskBytes: number;
  inodes: number;
}

/** Returns the guard's arguments, which precede those of the inner sandbox. */
export function guardArguments(
  { command, filter, processes, memoryBytes, diskBytes, inodes }: GuardOptions,
): string[] {
  return [command, filter, processes, memoryBytes, diskBytes, inodes].map(String);
}

/** Exit code of a killed command (128 + SIGKILL). */
const KILLED_EXIT_CODE = 137;

/** Last segment of a path; fields of a process's `stat` after its name, which may contain any character. */
const LAST_NAME = "${path##*/}";
const AFTER_NAME = "${line##*) }";

const COUNT = "${#all[@]}";
const MEASURED_COUNT = "${#measured[@]}";
const [FIRST, SECOND, THIRD] = ["${measured[0]}", "${measured[1]}", "${measured[2]}"];

/**
 * Bash script that runs first in the sandbox and enforces the limits. It starts the command in an inner sandbox and
 * measures the resources of all its processes together, about 10 times a second.
 *
 * Memory that processes share, and disk space, are measured by what the machine has less of: the kernel attributes
 * neither to the process that took it. Other programs of the machine count too.
 *
 * `ulimit` applies to each process separately, and its process limit does not apply to root. The gateway can rarely
 * create control groups. When the script exits, the kernel kills every other process of the sandbox. The command
 * cannot signal the script, which is process 1 of its PID namespace. It cannot read or trace it either, because the
 * script belongs to the outer user namespace.
 */
export const GUARD_SCRIPT = String.raw`
command=$1 filter=$2 processes=$3 memory=$4 disk=$5 inodes=$6
shift 6

# Closes descriptors that were open when the gateway started.
for path in /proc/self/fd/*; do
  file=${LAST_NAME}
  ((file > 2)) && exec {file}>&-
done
while read -r name size _; do [[ $name == KernelPageSize: ]] && break; done </proc/self/smaps

# Sets shared_memory to the KiB of shared memory of the machine, which include the files of /tmp and /dev/shm.
measure_shared() {
  local name kib
  while read -r name kib _; do [[ $name == Shmem: ]] && break; done </proc/meminfo
  shared_memory=$kib
}

# Sets blocks and files to the free blocks and inodes of the workspace, and block_size to the bytes of a block.
measure_disk() {
  local measured
  read -r -a measured < <(exec stat -f -c '%S %a %d' "/proc/self/fd/$workspace")
  ((${MEASURED_COUNT} == 3)) && block_size=${FIRST} blocks=${SECOND} files=${THIRD}
}
measure_shared
# By its path, the workspace could not be measured once a command has removed the permissions of the folder.
exec {workspace}<.
measure_disk
shared_before=$shared_memory blocks_before=$blocks files_before=$files
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
    -- nice -n 19 bash -c "$command" >&"$out" 2>&"$err" {out}>&- {err}>&- {exit_pipe}>&- {workspace}<&-
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
  measure_shared
  ((pages * size + shared_memory - shared_before > memory / 1024)) && stop "it used more than $((memory >> 20)) MiB of memory"
  ((written > disk)) && stop "it wrote more than $((disk >> 20)) MiB"
  ((rounds++ % 3)) && continue
  measure_disk
  (((blocks_before - blocks) * block_size > disk)) && stop "it took more than $((disk >> 20)) MiB of the disk"
  ((files_before - files > inodes)) && stop "it created more than $inodes files"
done
`;
