"""Install each plugin distribution below a directory and run its own tests.

    python tools/run_plugins.py plugins [name ...]

Plugins are tested one after the other in the environment of this Python, each taken out before the next one.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path


def call(*command: str | Path) -> int:
    """Run a command in sight of the user and return its exit code."""
    print("$", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=False).returncode


def check(plugin: Path) -> bool:
    """Install, test and remove one plugin."""
    settings = plugin / "pyproject.toml"
    name = tomllib.loads(settings.read_text(encoding="utf-8"))["project"]["name"]
    pip = (sys.executable, "-m", "pip")
    if call(*pip, "install", "--quiet", plugin):
        return False
    try:
        return not call(sys.executable, "-P", "-m", "pytest", "-c", settings, plugin / "tests")
    finally:
        call(*pip, "uninstall", "--quiet", "--yes", name)


def main() -> int:
    """Return 1 if a plugin fails."""
    folder, *names = sys.argv[1:]
    plugins = sorted(path.parent for path in Path(folder).glob("*/pyproject.toml"))
    unknown = set(names) - {plugin.name for plugin in plugins}
    if unknown:
        print(f"no plugin named {', '.join(sorted(unknown))} in {folder}")
        return 1
    chosen = [plugin for plugin in plugins if not names or plugin.name in names]
    failed = [plugin.name for plugin in chosen if not check(plugin)]
    print(f"{len(chosen)} plugins tested; failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
