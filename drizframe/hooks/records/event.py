"""What listeners are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a run.

    Parameters
    ----------
    kind : {"start", "progress", "finish", "message", "warning", "begin_run", "end_run"}
        What happened.
    step : str
        Name of the step; empty outside of steps.
    text : str
        Message.
    done, total : int
        Tasks of the step.
    seconds : float
        Time since the step (or run) started.
    pixels : int
        Pixels that the finished task returned.
    state : {"ok", "skipped", "off", "aborted"}
        How the step ended.
    """

    kind: Literal["start", "progress", "finish", "message", "warning", "begin_run", "end_run"]
    step: str = ""
    text: str = ""
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    pixels: int = 0
    state: Literal["ok", "skipped", "off", "aborted"] = "ok"
