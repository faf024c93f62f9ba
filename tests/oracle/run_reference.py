"""Run the reference program on requests: called by reference_env.py, under its Python.

Each line of standard input is JSON: {"folder": …, "inputs": names or one text, "parameters": {...}}. Products get the
root name `ref` unless `output` says otherwise. The answer is a line of JSON with the exit status. Every request runs in
a process of its own, forked when the slow imports are done, so that nothing is left over from one to the next.
"""

import json
import os
import sys
import traceback
import warnings

warnings.simplefilter("ignore")
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"
for variable in ("iref", "jref", "nref", "oref", "uref"):
    os.environ[variable] = "./"

from drizzlepac import astrodrizzle  # noqa: E402 - reads the variables above when imported

DEFAULTS = {"output": "ref", "build": False, "clean": False, "num_cores": 1}


def work(request):
    """Do what the request asks; the process ends with this."""
    status = 1
    try:
        os.chdir(request["folder"])
        log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        astrodrizzle.AstroDrizzle(request["inputs"], **(DEFAULTS | request["parameters"]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


for line in sys.stdin:
    child = os.fork()
    if not child:
        work(json.loads(line))
    _, code = os.waitpid(child, 0)
    sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(code)}) + "\n")
    sys.stdout.flush()
