"""Every hook, with a complete example each.

Arguments go by keyword; an implementation names only those it wants.  Component hooks are called once, when a
registry is built; step hooks once for each run, while it is planned; listeners during the run, in the main
process.  Order, ``tryfirst``, ``trylast``, ``specname`` and wrappers are those of pluggy, for every hook.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from drizframe.hooks.markers import hookspec

if TYPE_CHECKING:
    from drizframe.hooks.records import (
        Combiner,
        Command,
        CosmicRayDetector,
        Executor,
        Instrument,
        Interpolator,
        Kernel,
        Reader,
        SkyMethod,
        SkyStatistic,
        Weighting,
        Writer,
    )
    from drizframe.hooks.records.event import Event
    from drizframe.hooks.records.step import Step

__all__ = ["COMPONENT_HOOKS", "LISTENERS", "STAGES", "STEP_HOOKS"]


@hookspec
def drizframe_kernels() -> Iterable[Kernel]:
    """Yield kernels: how an input pixel spreads over output pixels.

    Example::

        import drizframe
        import numpy as np

        def nearest(x, y, corners, x0, y0, shape, *, pixfrac, scale):
            columns = x0[:, None] + np.arange(shape[1])
            rows = y0[:, None] + np.arange(shape[0])
            hit_x = columns == np.floor(x + 0.5)[:, None]
            hit_y = rows == np.floor(y + 0.5)[:, None]
            return (hit_y[:, :, None] & hit_x[:, None, :]).astype(float)

        @drizframe.hookimpl
        def drizframe_kernels():
            yield drizframe.Kernel(
                name="mine.nearest",
                summary="All weight to the nearest output pixel.",
                footprint=nearest,
                support=lambda pixfrac, scale: 0.5,
            )
    """


@hookspec
def drizframe_interpolators() -> Iterable[Interpolator]:
    """Yield interpolators: the value of an image at a position.

    Example::

        import drizframe
        import numpy as np

        def floor(image, x, y, *, fill=0.0):
            ny, nx = image.shape
            inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
            i = np.where(inside, x, 0).astype(int)
            k = np.where(inside, y, 0).astype(int)
            return np.where(inside, image[k, i], fill).astype(float)

        @drizframe.hookimpl
        def drizframe_interpolators():
            yield drizframe.Interpolator(name="mine.floor", summary="Pixel to the lower left.",
            reference=floor)
    """


@hookspec
def drizframe_combiners() -> Iterable[Combiner]:
    """Yield combiners: one image out of a stack.

    Example::

        import drizframe
        import numpy as np

        def highest(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
            bad = bad | ~np.isfinite(stack)
            good = np.where(bad, -np.inf, stack)
            return np.where(bad.all(axis=0), 0, good.max(axis=0)).astype(np.float32)

        @drizframe.hookimpl
        def drizframe_combiners():
            yield drizframe.Combiner(name="mine.highest", summary="Highest good value.", reference=highest)
    """


@hookspec
def drizframe_sky_methods() -> Iterable[SkyMethod]:
    """Yield sky methods: the sky of every chip of a run.

    Example::

        import drizframe

        def each(chips, statistic, *, overlaps, options):
            sky = {}
            for chip in chips:
                value, count = statistic(chip.pixels())
                value = float(value) if count else 0.0
                sky[chip.key] = drizframe.SkyValue(subtracted=value, level=value, method="mine.each")
            return sky

        @drizframe.hookimpl
        def drizframe_sky_methods():
            yield drizframe.SkyMethod(name="mine.each", summary="Every chip its own value.", reference=each)
    """


@hookspec
def drizframe_sky_statistics() -> Iterable[SkyStatistic]:
    """Yield sky statistics: one number out of the sky pixels.

    Example::

        import drizframe
        import numpy as np

        def quartile(values, options):
            return (float(np.quantile(values, 0.25)), values.size) if values.size else (float("nan"), 0)

        @drizframe.hookimpl
        def drizframe_sky_statistics():
            yield drizframe.SkyStatistic(name="mine.quartile", summary="Lower quartile.", reference=quartile)
    """


@hookspec
def drizframe_weightings() -> Iterable[Weighting]:
    """Yield weightings: the weight map of a chip.

    Example::

        import drizframe

        def equal(chip, mask, sky, ratio, options):
            return mask.astype("float32"), 1.0

        @drizframe.hookimpl
        def drizframe_weightings():
            yield drizframe.Weighting(name="MINE.EQUAL", summary="Every good pixel counts the same.",
            reference=equal)
    """


@hookspec
def drizframe_cosmic_ray_detectors() -> Iterable[CosmicRayDetector]:
    """Yield cosmic-ray detectors.

    Example::

        import drizframe
        import numpy as np

        def simple(sci, blot, deriv, noise, depth, dq, options):
            return (sci - blot > options.snr[0] * noise).astype(np.uint8)

        @drizframe.hookimpl
        def drizframe_cosmic_ray_detectors():
            yield drizframe.CosmicRayDetector(
                name="mine.simple", summary="One-sided test.", reference=simple, traits={"needs_blot"}
            )
    """


@hookspec
def drizframe_instruments() -> Iterable[Instrument]:
    """Yield instruments: header to facts of an exposure and its chips.

    The first one whose `matches` takes a primary header is used, in the order in which readers are asked; those with
    ``fallback=True`` come last.  A run warns where instruments of two providers take a header.

    Example::

        import drizframe

        @drizframe.hookimpl
        def drizframe_instruments():
            yield drizframe.Instrument(
                name="mine.camera",
                summary="Our own camera, electrons.",
                matches=lambda primary: primary.get("INSTRUME") == "MYCAM",
                reference=drizframe.generic_exposure,
            )
    """


@hookspec
def drizframe_readers() -> Iterable[Reader]:
    """Yield readers: file to exposures.

    The first one whose `matches` takes a file reads it: those of the plugin that was registered last are asked first,
    those of drizframe last (``tryfirst`` and ``trylast`` count).  A run warns where readers of two providers take a file.

    Example::

        import drizframe
        import numpy as np
        from astropy.wcs import WCS

        def read(path, *, instruments, options):
            wcs = WCS(naxis=2)
            with np.load(path) as file:
                wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
                wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = file["crval"], file["crpix"], file["cdelt"]
                seconds = float(file["exptime"])
                return [drizframe.Exposure.from_arrays(file["sci"], wcs, name=path.stem, exptime=seconds)]

        @drizframe.hookimpl
        def drizframe_readers():
            yield drizframe.Reader(
                name="mine.npz",
                summary="NumPy archives.",
                matches=lambda path: path.suffix == ".npz",
                reference=read,
            )
    """


@hookspec
def drizframe_writers() -> Iterable[Writer]:
    """Yield writers: mosaic to files.

    Example::

        import drizframe
        import numpy as np
        from drizframe.hooks import GatheringSink

        class Archive(GatheringSink):
            def close(self):
                (target,) = self.product.targets
                with self.product.stage(target).open("wb") as stream:
                    np.savez(stream, run=self.product.run, **self.images)
                return [target]

        def run_of(path):
            with np.load(path) as archive:
                return str(archive["run"])

        @drizframe.hookimpl
        def drizframe_writers():
            yield drizframe.Writer(
                name="mine.npz", summary="NumPy archive.", open=Archive, endings=(".npz",), run_of=run_of
            )
    """


@hookspec
def drizframe_executors() -> Iterable[Executor]:
    """Yield executors: where tasks run.

    Example::

        import concurrent.futures

        import drizframe

        def pool(workers):
            return concurrent.futures.ThreadPoolExecutor(workers)

        @drizframe.hookimpl
        def drizframe_executors():
            yield drizframe.Executor(name="mine.pool", summary="The threads of Python.", open=pool)
    """


@hookspec(firstresult=True)
def drizframe_step_static_mask() -> Step | None:
    """Return the step that makes the static masks.

    The plugin that was registered last answers first (``tryfirst`` and ``trylast`` count), and the first that does not
    return None wins; the stock step comes last.  A run warns where more than one plugin replaces a stage.  A wrapper
    changes the step of the others, and turns the stage off by returning None; so for all stages.

    Example::

        import drizframe
        import numpy as np

        def run(job):
            shapes = {u: job.exposures[u.exposure].chips[u.chip].shape for u in job.units("chip")}
            return {drizframe.PlaneKey("mask.static", u): np.ones(s, np.uint8) for u, s in shapes.items()}

        @drizframe.hookimpl
        def drizframe_step_static_mask():
            return drizframe.Step(name="static_mask", summary="Nothing is masked.", needs=(),
                                  makes=("mask.static",), over="run", run=run)
    """


@hookspec(firstresult=True)
def drizframe_step_sky() -> Step | None:
    """Return the step that finds the sky of every chip.

    Example, which replaces it::

        import drizframe

        def run(job):
            sky = drizframe.SkyValue(subtracted=0.02, level=0.02, method="mine")
            return {drizframe.PlaneKey("sky", unit): sky for unit in job.units("chip")}

        @drizframe.hookimpl
        def drizframe_step_sky():
            return drizframe.Step(name="sky", summary="The same sky for all.", needs=(), makes=("sky",),
                                  over="run", run=run,
                                  enabled=lambda parameters, exposures: parameters.skysub)
    """


@hookspec(firstresult=True)
def drizframe_step_separate() -> Step | None:
    """Return the step that drizzles each exposure by itself.

    Example, which wraps it::

        import dataclasses
        import drizframe

        @drizframe.hookimpl(wrapper=True)
        def drizframe_step_separate():
            step = yield

            def run(job):
                planes = step.run(job)
                job.note(f"{job.exposure.name}: {(planes['single.wht'] == 0).sum()} pixels without data")
                return planes

            return step and dataclasses.replace(step, run=run)
    """


@hookspec(firstresult=True)
def drizframe_step_median() -> Step | None:
    """Return the step that combines the single images.

    Example, which replaces it::

        import drizframe
        import numpy as np

        def run(job):
            images = [image for unit, image in job.each("single.sci")]
            return {"median": np.median(images, axis=0).astype(np.float32)}

        @drizframe.hookimpl
        def drizframe_step_median():
            return drizframe.Step(name="median", summary="Median without any mask.",
                                  needs=(drizframe.Need("single.sci", of="touching"),), makes=("median",),
                                  over="tile", grid="separate", run=run,
                                  enabled=lambda parameters, exposures: parameters.median)
    """


@hookspec(firstresult=True)
def drizframe_step_blot() -> Step | None:
    """Return the step that resamples the median onto the chips.

    Example, which wraps it::

        import dataclasses
        import drizframe
        from scipy import ndimage

        @drizframe.hookimpl(wrapper=True)
        def drizframe_step_blot():
            step = yield

            def run(job):
                return {"blot": ndimage.uniform_filter(step.run(job)["blot"], size=3)}

            return step and dataclasses.replace(step, run=run)
    """


@hookspec(firstresult=True)
def drizframe_step_cosmic_rays() -> Step | None:
    """Return the step that finds cosmic rays.

    Example, which wraps it so that pixels above 60000 electrons are left out too::

        import dataclasses
        import drizframe
        import numpy as np

        @drizframe.hookimpl(wrapper=True)
        def drizframe_step_cosmic_rays():
            step = yield

            def run(job):
                planes = dict(step.run(job))
                bright = job.read("sci") * job.chip.conversion > 60000
                planes["mask.cr"] = np.where(bright, 0, planes["mask.cr"]).astype(np.uint8)
                return planes

            return step and dataclasses.replace(step, run=run)
    """


@hookspec(firstresult=True)
def drizframe_step_final() -> Step | None:
    """Return the step that makes the mosaic.

    Example, which turns it off: the run ends with the masks of the cosmic rays::

        import drizframe

        @drizframe.hookimpl(wrapper=True)
        def drizframe_step_final():
            yield
            return None
    """


@hookspec
def drizframe_extra_steps() -> Iterable[Step]:
    """Yield further steps; their planes say where they belong.

    A step that needs and makes the same plane is a filter: it comes before all others that need the
    plane, but after the steps whose planes it needs; so this one comes after the sky and before everything that
    drizzles.  Of two filters of one plane that of the plugin which is asked first comes first; a run warns if they are of
    different plugins and neither names the other in `after`.

    Example::

        import drizframe
        import numpy as np
        from pydantic import BaseModel

        class Options(BaseModel):
            strength: float = 1.0

        def run(job):
            image = job.read("sci")
            rows = np.nanmedian(image, axis=1, keepdims=True) - np.nanmedian(image)
            return {"sci": image - np.float32(job.plugin_options().strength) * rows}

        @drizframe.hookimpl
        def drizframe_extra_steps():
            yield drizframe.Step(name="mine.rows", summary="Subtract the median of each row.",
                                 needs=("sci", "sky"), makes=("sci",), over="chip", run=run,
                                 options_model=Options)
    """


@hookspec
def drizframe_before_step(event: Event) -> None:
    """Called when a step starts; changes no data.

    Example::

        import drizframe

        @drizframe.hookimpl
        def drizframe_before_step(event):
            print("starting", event.step)
    """


@hookspec
def drizframe_after_step(event: Event) -> None:
    """Called when a step has ended, with its seconds and counts.

    Steps that are done together, chip by chip, are told of one after the other; the seconds of each are its share of the time.

    Example::

        import drizframe

        @drizframe.hookimpl
        def drizframe_after_step(event):
            print(event.step, "took", event.seconds, "s")
    """


@hookspec
def drizframe_progress(event: Event) -> None:
    """Called when a task of a step has ended, with how many are done; and for messages.

    Example::

        import drizframe

        @drizframe.hookimpl
        def drizframe_progress(event):
            print(event.step, event.done, "of", event.total)
    """


@hookspec
def drizframe_commands() -> Iterable[Command]:
    """Yield subcommands of ``drizframe``.

    Example::

        import drizframe

        def hello(name: str = "world"):
            print("hello", name)

        @drizframe.hookimpl
        def drizframe_commands():
            yield drizframe.Command(name="hello", summary="Greet.", function=hello)
    """


#: Hook -> family of the records it yields, in the order of the documentation.
COMPONENT_HOOKS: dict[str, str] = {
    "drizframe_kernels": "kernel",
    "drizframe_interpolators": "interpolator",
    "drizframe_combiners": "combiner",
    "drizframe_sky_methods": "sky method",
    "drizframe_sky_statistics": "sky statistic",
    "drizframe_weightings": "weighting",
    "drizframe_cosmic_ray_detectors": "cosmic-ray detector",
    "drizframe_instruments": "instrument",
    "drizframe_readers": "reader",
    "drizframe_writers": "writer",
    "drizframe_executors": "executor",
}

#: Stages of a run in their natural order: hook -> name of the step.
STAGES: dict[str, str] = {
    "drizframe_step_static_mask": "static_mask",
    "drizframe_step_sky": "sky",
    "drizframe_step_separate": "separate",
    "drizframe_step_median": "median",
    "drizframe_step_blot": "blot",
    "drizframe_step_cosmic_rays": "cosmic_rays",
    "drizframe_step_final": "final",
}

#: Hooks that are told what happens in a run.
LISTENERS: tuple[str, ...] = ("drizframe_before_step", "drizframe_after_step", "drizframe_progress")

#: Hooks without whose steps the result of a run would be another.
STEP_HOOKS: tuple[str, ...] = (*STAGES, "drizframe_extra_steps")
