"""Runs the cases of a script, each in a copy of the process that has loaded the script's packages.

A line of the input is a list, in JSON: the arguments of `run`. A line of the output is what went wrong, in JSON, or an
empty text.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable

MAX_SECONDS = 60


def serve_cases(run: Callable[..., None]) -> None:
    for line in sys.stdin:
        print(json.dumps(_run_apart(run, json.loads(line))), flush=True)


def _run_apart(run: Callable[..., None], arguments: list[str]) -> str:
    with tempfile.TemporaryFile(mode="w+") as output:
        child = os.fork()
        if child == 0:
            _run_here(run, arguments, output.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return "" if status == 0 else f"{arguments} ended with {status}:\n{output.read()}"


def _run_here(run: Callable[..., None], arguments: list[str], output: int) -> None:
    signal.alarm(MAX_SECONDS)
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 1
    try:
        run(*arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
