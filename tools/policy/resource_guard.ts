/** What the guard is told: the values of its first arguments, in this order. */
export interface GuardOptions {
  command: string;
  /** The filter of system calls, as `printf` of bash writes it. */
  filter: string;
  processes: number;
  memoryBytes: number;
  diskBytes: number;
}

/** The guard's arguments, before those of the inner sandbox. */
export function guardArguments(
  { command, filter, processes, memoryBytes, diskBytes }: GuardOptions,
): string[] {
  return [command, filter, processes, memoryBytes, diskBytes].map(String);
}

/** What a command exits with that was killed. */
const KILLED_EXIT_CODE = 137;

/** The last name of a path, and what stands in a process's `stat` after its name, which may hold anything. */
const LAST_NAME = "${path##*/}";
const AFTER_NAME = "${line##*) }";

const COUNT = "${#all[@]}";

/**
 * What runs first in the sandbox and watches over the rest: a script of bash that starts the command in a second,
 * inner sandbox and counts ten times a second what all its processes take together. `ulimit` counts each alone, and
 * processes of root not at all; control groups are rarely ours to make. When it ends, the kernel ends every other
 * process of the sandbox with it. The command can neither signal it, since it is process 1 of its namespace, nor
 * read or trace it, since it is of the outer user namespace.
 */
export const GUARD_SCRIPT = String.raw`
command=$1 filter=$2 processes=$3 memory=$4 disk=$5
shift 5

# Nothing that was open when the gateway started is for a command.
for path in /proc/self/fd/*; do
  file=${LAST_NAME}
  ((file > 2)) && exec {file}>&-
done
while read -r name size _; do [[ $name == KernelPageSize: ]] && break; done </proc/self/smaps
printf 'user:x:1000:1000::/tmp:/bin/bash\n' >/etc/passwd
printf 'user:x:1000:\n' >/etc/group

# Some runtimes give sockets, which no program can open once more as /dev/stdin, /dev/stdout or /dev/stderr.
[[ -c /dev/stdin ]] || exec < <(exec cat)
exec {out}> >(exec cat)
printer=$!
exec {err}> >(exec cat >&2 {out}>&-)
complainer=$!
exec {ended}<> <(:)
(
  # Where the machine's memory ends in spite of all, the kernel takes this one first.
  echo 1000 >/proc/self/oom_score_adj
  # The last line of defence, for what comes about between two looks. What is refused was lower already.
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
    -- nice -n 19 bash -c "$command" >&"$out" 2>&"$err" {out}>&- {err}>&- {ended}>&-
  echo "$?" >&"$ended"
) <&0 &
child=$!
exec {out}>&- {err}>&- </dev/null >/dev/null

# Ends all at once.
stop() {
  printf '\nThe command was stopped: %s\n' "$1" >&2
  exit ${KILLED_EXIT_CODE}
}

# Ends what the command left behind, and after its last words have passed, itself.
leave() {
  for round in {1..100}; do
    others=0
    for path in /proc/[0-9]*; do
      process=${LAST_NAME}
      ((process == 1 || process == printer || process == complainer)) && continue
      kill -9 "$process" && others=1
    done 2>/dev/null
    ((others)) || break
    # What was killed takes a moment to be gone.
    read -r -t 0.02 -u "$ended"
  done
  ((others)) || wait "$printer" "$complainer"
  exit "$1"
}

# A bomb grows faster than its parts can be looked at: while they are, they are counted again and again.
count() {
  all=(/proc/[0-9]*)
  ((${COUNT} > processes)) && stop "it had more than $processes processes"
}

# Waits a moment for the exit code, which may come in pieces.
look() {
  read -r -t 0.1 -u "$ended" piece
  local status=$?
  code+=$piece
  ((status)) || leave "$code"
}

while :; do
  look
  if ! kill -0 "$child" 2>/dev/null; then
    look
    leave ${KILLED_EXIT_CODE}
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
  ((pages * size > memory / 1024)) && stop "it took more than $((memory >> 20)) MiB of memory"
  ((written > disk)) && stop "it wrote more than $((disk >> 20)) MiB"
done
`;
