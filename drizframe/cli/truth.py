"""``drizframe truth``: a run over simulated exposures, compared with the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drizframe.simulate.truth import TruthReport

__all__ = ["command", "tables"]


def tables(report: TruthReport) -> list[Any]:
    """Return a report as tables of rich."""
    from rich.table import Table

    made = []
    if report.sky:
        sky = Table("exposure", "chip", "sky [e]", "true [e]", "noise [e]", "error / noise", title="Sky")
        for s in report.sky:
            sky.add_row(
                s.exposure,
                str(s.chip),
                f"{s.measured:.3f}",
                f"{s.true:.3f}",
                f"{s.noise:.3f}",
                f"{s.error:+.4f}",
            )
        made.append(sky)
    if report.stars is not None:
        t = report.stars
        stars = Table(
            "stars", "flux / true", "scatter", "dx [pixel]", "dy [pixel]", "scatter [pixel]", title="Stars"
        )
        stars.add_row(
            str(t.n),
            f"{t.flux:.4f}",
            f"{t.flux_scatter:.4f}",
            f"{t.dx:+.4f}",
            f"{t.dy:+.4f}",
            f"{t.scatter:.4f}",
        )
        made.append(stars)
    if report.rays:
        title = f"Cosmic rays (hit: at least {report.significance:g} times the noise)"
        rays = Table("exposure", "pixels hit", "found", "flagged", "completeness", "purity", title=title)
        for r in (*report.rays, report.total):
            rays.add_row(
                r.exposure, str(r.true), str(r.found), str(r.flagged), f"{r.completeness:.4f}", f"{r.purity:.4f}",
                end_section=r is report.rays[-1],
            )  # fmt: skip
        made.append(rays)
    return made


def command(
    run: Annotated[Path, typer.Argument(help="Folder of the products, or their root.")],
    truth: Annotated[Path, typer.Argument(help="Folder with truth.json, as 'drizframe simulate' writes it.")],
    significance: Annotated[
        float, typer.Option(help="A pixel is hit if cosmic rays left this many times its noise.")
    ] = 5.0,
    near: Annotated[
        int, typer.Option(help="Pixels that a flagged pixel may lie from a hit one and count as right.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare sky, stars and cosmic rays of a run over simulated exposures with the truth.

    The run needs its intermediate files for the cosmic rays (keep=all, or clean=no of the drop-in); products
    of the reference program do as well.
    """
    from drizframe.simulate.truth import truth_table

    report = truth_table(run, truth, significance=significance, near=near)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
        return
    from drizframe.cli.tables import console as made_console

    console = made_console()
    for table in tables(report):
        console.print(table)
    for name, missing in (("sky", not report.sky), ("star", report.stars is None), ("mask", not report.rays)):
        if missing:
            console.print(f"no {name} to compare was found in {report.run}")
