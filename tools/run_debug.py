"""Run Python with compiled modules that were built to find faults (`-Csetup-args=-Ddebug_checks=memory`).

    python tools/run_debug.py -m pytest tests/parity

Refuses modules that were built without those checks, so that nothing passes for lack of them. AddressSanitizer has to be in
the process before anything else, so Python is started anew with it; a fault of memory ends that process with a report.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: What the compiled module holds if Cython checks its indices, and if AddressSanitizer watches it.
BOUNDS, ADDRESS = b"Out of bounds on buffer access", b"__asan_init"
#: Libraries of AddressSanitizer, by compiler.
LIBRARIES = {"gcc": "libasan.so", "cc": "libasan.so", "clang": "libclang_rt.asan-x86_64.so"}


def built() -> dict[str, bytes]:
    """Return the content of each compiled module, without importing one."""
    from drizframe import _fast

    return {p.name: p.read_bytes() for p in Path(_fast.__file__).parent.glob("*.so") if p.name[0] != "_"}


def library() -> Path | None:
    """Where the compiler has its AddressSanitizer."""
    for compiler, name in LIBRARIES.items():
        if shutil.which(compiler) is None:
            continue
        found = subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        )
        path = Path(found.stdout.strip())
        if path.is_absolute() and path.exists():
            return path.resolve()
    return None


def main() -> int:
    """Return the exit code, or 2 if the build does not check enough."""
    modules = built()
    checked = [name for name, content in modules.items() if BOUNDS in content]
    watched = [name for name, content in modules.items() if ADDRESS in content]
    print(
        f"{len(modules)} compiled modules: {len(checked)} check indices, {len(watched)} are watched by AddressSanitizer"
    )
    if not checked:
        print("Build them with pip install … -Csetup-args=-Ddebug_checks=memory (tox -e debug does so).")
        return 2
    environment = dict(os.environ)
    if watched:
        runtime = library()
        if runtime is None:
            print(
                f"found no AddressSanitizer ({', '.join(LIBRARIES.values())}) beside {', '.join(LIBRARIES)}"
            )
            return 2
        # Python and its libraries keep memory to their end: no leaks. Each object is a block of its own for the sanitizer.
        environment |= {
            "LD_PRELOAD": str(runtime),
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",  # too much asked for is a MemoryError
            "PYTHONMALLOC": "malloc",
        }
    return subprocess.run([sys.executable, "-P", *sys.argv[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
