"""What the operating system is asked for: processes, signals, and names of temporary files."""

from __future__ import annotations
