"""``drizframe demo``: the main job on bundled real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(
    folder: Annotated[Path, typer.Argument(help="Where the products go; made if missing.")] = Path(
        "drizframe-demo"
    ),
) -> None:
    """Combine two real HST/STIS exposures: find cosmic rays, clean, write products and a preview."""
    from drizframe import api
    from drizframe.cli.run import summary
    from drizframe.data import stis_sample
    from drizframe.errors import OutputError
    from drizframe.report.preview import write_comparison
    from drizframe.report.progress import ProgressBar

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"The folder {str(folder)!r} cannot be made: {error.strerror}. Name another one."
        raise OutputError(msg) from None
    with ProgressBar() as bar:
        result = api.run(stis_sample(), str(folder / "demo"), listeners=[bar])
    first = result.exposures[0]
    if result.mosaic is not None:
        picture = write_comparison(first.chips[0].data(), result.mosaic, folder / "demo_preview.png")
        result.products.append(picture)
    summary(result)
