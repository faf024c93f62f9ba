"""Pictures of a mosaic for notebooks and scripts."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import UnsupportedError
from drizframe.report.preview import shrink, stretch

if TYPE_CHECKING:
    from drizframe.model import Mosaic

__all__ = ["html_summary", "plot_mosaic"]


def plot_mosaic(mosaic: Mosaic, ax: Any = None) -> Any:
    """Draw the science image of a mosaic with its coordinates.

    Parameters
    ----------
    mosaic : Mosaic
        The image.
    ax : matplotlib axes, optional
        Where to draw.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    UnsupportedError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        msg = "Drawing needs matplotlib. Install it: pip install 'drizframe[report]'."
        raise UnsupportedError(msg) from None
    if ax is None:
        _, ax = plt.subplots(subplot_kw={"projection": mosaic.frame.wcs})
    finite = mosaic.sci[np.isfinite(mosaic.sci)]
    low, high = np.percentile(finite, [1.0, 99.5]) if finite.size else (0.0, 1.0)
    ax.imshow(mosaic.sci, origin="lower", cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    ax.set_title(mosaic.unit)
    return ax


def html_summary(lines: Sequence[str], mosaic: Mosaic | None, *, largest: int = 400) -> str:
    """Return a few lines and a small picture as HTML.

    Parameters
    ----------
    lines : sequence of str
        Text.
    mosaic : Mosaic or None
        The image.
    largest : int
        Largest side of the picture in pixels.
    """
    text = "<br>".join(html.escape(line) for line in lines)
    if mosaic is None:
        return f"<div>{text}</div>"
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(stretch(shrink(mosaic.sci, largest))).save(buffer, format="PNG")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<div>{text}<br><img src="data:image/png;base64,{picture}"></div>'
