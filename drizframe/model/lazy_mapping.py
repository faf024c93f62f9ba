"""Mappings whose values are made when they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["LazyMapping", "MadeOnce"]


class _DictLike(Mapping[str, Any]):
    """What dictionaries can do beyond a mapping; the answers are dictionaries, with all values."""

    __slots__ = ()

    def copy(self) -> dict[str, Any]:
        """Return a dictionary of all values."""
        return dict(self)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        """Return a dictionary with the values of another mapping, too."""
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        """Return a dictionary of another mapping, with these values, too."""
        return {**other, **self}

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and store it as a dictionary with its values."""
        return dict, (dict(self),)


class LazyMapping(_DictLike):
    """Names that are known, and values each of which is made when it is asked for first; then it stays.

    Parameters
    ----------
    makers : mapping of str to callable
        ``maker() -> value``.
    """

    __slots__ = ("_lock", "_made", "_makers")

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Any:
        """Return a value."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._makers[name]()
            return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a value of that name, without making it."""
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._makers)

    def __repr__(self) -> str:
        """Return the names, without the values."""
        return f"<{', '.join(map(repr, self._makers)) or 'nothing'}; read when asked for>"


class MadeOnce(_DictLike):
    """A mapping that is made as a whole when anything of it is asked for.

    Parameters
    ----------
    make : callable
        ``make() -> mapping``.
    """

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make: Callable[[], Mapping[str, Any]] | None = make
        self._made: Mapping[str, Any] = {}
        self._lock = threading.RLock()

    def _whole(self) -> Mapping[str, Any]:
        with self._lock:
            if self._make is not None:
                self._made = self._make()
                self._make = None
            return self._made

    def __getitem__(self, name: str) -> Any:
        """Return a value."""
        return self._whole()[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._whole())

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._whole())

    def __repr__(self) -> str:
        """Return what it is, if it is made."""
        return "<made when asked for>" if self._make is not None else repr(self._made)
