"""The arrays that `drizframe.resample.Drizzle` fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.errors import ParameterError, ShapeError
from drizframe.model import Accumulator
from drizframe.resample._arguments import array_of, brief, check_room, number, shape_of
from drizframe.resample._checks import check_flags, context_like, fill_text, fill_value, image_like

__all__ = ["Output"]

NAMES = "out_img, out_img2, out_wht, out_ctx, out_dq"


class Output:
    """Output arrays and what they are filled with; owned by one `Drizzle`.

    Parameters
    ----------
    fillval, fillval2 : float, str or None
        As given by the user.
    planes : int
        Context planes to make; 0: no context.
    img, wht, ctx, img2, dq : array or None
        As given by the user.
    max_pixels : int or None
        As given by the user.
    """

    def __init__(
        self, *, fillval: Any, fillval2: Any, planes: int, img: Any, wht: Any, ctx: Any, img2: Any, dq: Any,
        max_pixels: int | None,
    ) -> None:  # fmt: skip
        self.fillval = fill_text("fillval", fillval, given=img is not None)
        self.fillval2 = fill_text("fillval2", fillval2, given=img2 is not None)
        self.planes = planes
        self.max_pixels = max_pixels
        self.img: Any = image_like("out_img", img)
        self.wht: Any = image_like("out_wht", wht)
        self.ctx: Any = context_like(ctx) if planes else None
        self.dq: Any = None if dq is None else check_flags("out_dq", dq)
        if self.dq is not None and not self.dq.flags.writeable:
            msg = "'out_dq' is read-only, but results are written into it. Give a copy."
            raise ParameterError(msg)
        listed = img2 if isinstance(img2, list | tuple) else [img2]
        self.img2: Any = None if img2 is None else _each_its_own([image_like("out_img2", a) for a in listed])
        self._check_one_use()

    def _check_one_use(self) -> None:
        """Refuse one array in two places: results would be written over each other."""
        arrays = [self.img, self.wht, self.dq, self.ctx, *(self.img2 or ())]
        places = [a.__array_interface__["data"][0] for a in arrays if a is not None]
        if len(set(places)) < len(places):
            msg = f"One array was given twice among {NAMES}. Give each its own."
            raise ParameterError(msg)

    def check_exptime(self, exptime: Any) -> float:
        """Return the exposure time; refuse output arrays that contradict it."""
        given = [a for a in (self.img, self.wht, self.ctx) if a is not None]
        found = number("exptime", exptime, "a number of seconds, 0 or more", "s")
        used = [n for n, a in (("out_wht", self.wht), ("out_ctx", self.ctx)) if a is not None and a.any()]
        # the words of the `drizzle` package
        if found < 0.0:
            msg = "Exposure time must be non-negative."
        elif found > 0.0 and not given:
            msg = (
                "Exposure time must be 0.0 for the first resampling (when no output resampled images have "
                "been provided)."
            )
        elif found == 0.0 and used:
            msg = (
                "Inconsistent exposure time and context and/or weight images: Exposure time cannot be 0 when "
                "context and/or weight arrays are non-zero."
            )
        else:
            return found
        error = ParameterError(msg)
        holding = f"; of the arrays, {' and '.join(used)} hold something" if used else ""
        error.add_note(f"'exptime' is {brief(exptime)}{holding}.")
        raise error

    def common_shape(self, out_shape: Any) -> tuple[int, int] | None:
        """Return the shape of the output, None if nothing tells it."""
        arrays = [self.img, self.wht, self.dq, *(self.img2 or ())]
        shapes: set[tuple[int, int]] = {a.shape for a in arrays if a is not None}
        if self.ctx is not None:
            shapes.add(self.ctx.shape[1:])
        if out_shape is not None:
            shapes.add(shape_of("out_shape", out_shape))
        if len(shapes) > 1:
            msg = (
                f"Inconsistent data shapes specified: 'out_shape' and/or {NAMES} have different shapes: "
                f"{sorted(shapes)}."
            )
            raise ShapeError(msg)
        if self.ctx is not None and self.wht is not None and shapes:
            touched = (self.ctx != 0).any(axis=0)
            if not np.array_equal(touched, self.wht > 0.0):
                msg = (
                    "Inconsistent values of supplied 'out_wht' and 'out_ctx' arrays. Pixels with non-zero "
                    "context values must have positive weights and vice-versa."
                )
                raise ParameterError(msg)
        if self.img is None and self.wht is not None and self.wht.any():
            msg = "'out_wht' holds weights but there is no 'out_img' that they belong to. Give both."
            raise ParameterError(msg)
        known = [self.img, self.wht, self.ctx, self.dq]
        if out_shape is None and all(a is None for a in known):
            if shapes and self.img2 is not None:
                shape = shapes.pop()
                self.img2 = [self._new_second(shape) if a is None else a for a in self.img2]
            return None
        return shapes.pop()

    def allocate(self, shape: tuple[int, int], source: str = "out_shape") -> None:
        """Make the output arrays that are not there, unless they are larger than the user can have meant.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns.
        source : str
            The argument that tells them.
        """
        known = {a.shape for a in self.img2 or () if a is not None}
        if known - {shape}:
            msg = (
                f"Inconsistent data shapes specified: the output has shape {shape} "
                f"but out_img2 has {known.pop()}."
            )
            raise ShapeError(msg)
        self._check_room(shape, self.planes, len(self.img2 or ()), source, with_flags=False)
        if self.img is None:
            self.img = np.full(shape, fill_value(self.fillval, np.nan), dtype=np.float32)
        if self.wht is None:
            self.wht = np.zeros(shape, dtype=np.float32)
        if self.ctx is None and self.planes:
            self.ctx = np.zeros((self.planes, *shape), dtype=np.int32)
        if self.img2 is not None:
            self.img2 = [self._new_second(shape) if a is None else a for a in self.img2]

    def _check_room(
        self, shape: tuple[int, int], planes: int, seconds: int, source: str, *, with_flags: bool
    ) -> None:
        """Refuse an output that is too large, with its context of `planes`."""
        each = 4 * (2 + planes + seconds + int(with_flags))
        check_room("The output", shape, each, self.max_pixels, source=source)

    def _new_second(self, shape: tuple[int, int]) -> Any:
        return np.full(shape, fill_value(self.fillval2, np.nan), dtype=np.float32)

    def second(self, data2: Any, shape: tuple[int, ...], *, first: bool) -> list[np.ndarray[Any, Any] | None]:
        """Return the images to be averaged with squared weights; an empty one counts as None."""
        listed = isinstance(data2, list | tuple)
        images = [] if data2 is None else list(data2) if listed else [data2]
        arrays = [None if a is None else array_of("data2", a, masked=np.nan) for a in images]
        arrays = [None if a is None or a.size == 0 else a for a in arrays]
        if wrong := [a.shape for a in arrays if a is not None and a.shape != shape]:
            is_ = "shape(s) is" if listed else "shape is"
            msg = f"'data2' {is_} not consistent with 'data' shape. They are {wrong[0]} and {shape}."
            raise ShapeError(msg)
        expected = None if self.img2 is None else len(self.img2)
        if expected is None and data2 is not None and first:
            expected = len(arrays)
        if (0 if expected is None else expected) != len(arrays) or (data2 is None) != (expected is None):
            msg = (
                f"Mismatch between the number of 'out_img2' images previously set and the number of inputs: "
                f"{expected or 0} and {len(arrays)}."
            )
            raise ShapeError(msg)
        return arrays

    def prepare(self, seconds: int | None, plane: int, *, with_flags: bool) -> None:
        """Make the arrays that an image needs.

        Parameters
        ----------
        seconds : int or None
            Number of images averaged with squared weights; None: none were given.
        plane : int
            Plane of the context.
        with_flags : bool
            Whether the image has flags.
        """
        shape = self.img.shape
        grows = self.ctx is not None and len(self.ctx) <= plane
        if grows or (seconds and self.img2 is None) or (with_flags and self.dq is None):
            planes = max(plane + 1, 0 if self.ctx is None else len(self.ctx)) if self.planes else 0
            self._check_room(shape, planes, seconds or 0, "out_shape", with_flags=with_flags)
        if seconds is not None and self.img2 is None:
            self.img2 = [self._new_second(shape) for _ in range(seconds)]
        if with_flags and self.dq is None:
            self.dq = np.zeros(shape, dtype=np.uint32)
        if grows:
            more = np.zeros((plane + 1 - len(self.ctx), *shape), dtype=np.int32)
            self.ctx = np.concatenate([self.ctx, more])

    def load(self, acc: Accumulator, plane: int) -> None:
        """Turn the output so far into sums; products of two float32 numbers are exact in float64."""
        cut = acc.window.slices
        acc.weight[...] = self.wht[cut]
        some = acc.weight != 0.0
        np.multiply(acc.weight, self.img[cut], where=some, out=acc.total[0])
        for k in range(acc.variances):
            image = self.img2[k]
            np.multiply(acc.weight * acc.weight, image[cut], where=some, out=acc.squared[k])
        if acc.planes:
            acc.context[0] = self.ctx[plane][cut]
        if acc.dq:
            acc.flags[some] = self.dq[cut][some]

    def store(self, acc: Accumulator, plane: int) -> None:
        """Turn the sums back into the output; pixels without weight keep what they hold."""
        cut = acc.window.slices
        some = acc.weight != 0.0
        weight = acc.weight[some]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self.img[cut][some] = acc.total[0][some] / weight
            self.wht[cut] = acc.weight
            for k in range(acc.variances):
                self.img2[k][cut][some] = acc.squared[k][some] / (weight * weight)
        if acc.planes:
            self.ctx[plane][cut] = acc.context[0]
        if acc.dq:
            self.dq[cut][some] = acc.flags[some]

    def fill(self) -> None:
        """Write the fill values where there is no weight."""
        pairs = [(self.fillval, self.img), *((self.fillval2, a) for a in self.img2 or ())]
        for text, image in pairs:
            value = fill_value(text, None)
            if value is not None and image is not None:
                np.copyto(image, value, where=self.wht == 0.0)


def _each_its_own(images: list[Any]) -> list[Any]:
    """Copy an image that stands twice in a list, as clients give a common start; sums must not share memory."""
    return [a if a is None or all(a is not b for b in images[:k]) else a.copy() for k, a in enumerate(images)]
