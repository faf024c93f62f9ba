"""Run the reference program in the current directory: called by reference_env.py, under its Python.

Standard input is JSON: {"inputs": [names], "parameters": {...}}. Products get the root name `ref` unless
`output` says otherwise.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
for variable in ("iref", "jref", "nref", "oref", "uref"):
    os.environ.setdefault(variable, "./")

from drizzlepac import astrodrizzle  # noqa: E402 - reads the variables above when imported

request = json.load(sys.stdin)
defaults = {"output": "ref", "build": False, "clean": False, "num_cores": 1}
astrodrizzle.AstroDrizzle(request["inputs"], **(defaults | request["parameters"]))
