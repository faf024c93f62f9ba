"""``python -m drizframe``: the same as the command ``drizframe``."""

from __future__ import annotations

from drizframe.cli import main

if __name__ == "__main__":
    main()
