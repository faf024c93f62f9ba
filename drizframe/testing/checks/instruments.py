"""Checks of instruments, on the headers of a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.errors import DrizframeError
from drizframe.hooks import Instrument, InstrumentOptions
from drizframe.model import ArraySource, Exposure
from drizframe.testing.checking import check, implementations, plain
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import InstrumentSample
from drizframe.testing.strategies import tangent_plane

__all__: list[str] = []

UNITS = ("electrons", "electrons/s", "counts", "counts/s", "flux", "brightness")


def headers_of(sample: InstrumentSample) -> tuple[Any, dict[int, Any]]:
    """Return fresh copies of the headers; science headers get a size and a WCS if they lack it."""
    from astropy.io import fits

    primary = fits.Header(sample.primary)
    science = {}
    for version, cards in sample.science.items():
        header = tangent_plane(sample.shape, 0.05).to_header()
        header.update({"NAXIS": 2, "NAXIS1": sample.shape[1], "NAXIS2": sample.shape[0]})
        header.update(fits.Header(cards))
        science[version] = header
    return primary, science


def read(
    record: Instrument, kind: str, sample: InstrumentSample, headers: Any = None, **options: Any
) -> Exposure:
    """Let an instrument read the sample's headers."""
    primary, science = headers_of(sample) if headers is None else headers
    image = np.zeros(sample.shape, dtype=np.float32)
    exposure: Exposure = implementations(record)[kind](
        primary,
        science,
        name="sample",
        path=None,
        source=lambda extver: ArraySource({"sci": image + extver}),
        options=InstrumentOptions(**options),
        wcs=lambda extver: tangent_plane(sample.shape, 0.05),  # noqa: ARG005
    )
    return exposure


def seen(sample: InstrumentSample) -> dict[str, Any]:
    """Return the headers for a message."""
    return {"primary": dict(sample.primary), "science": {k: dict(v) for k, v in sample.science.items()}}


@check("instrument", sampled=True)
def check_matches_sample(record: Instrument, sample: InstrumentSample) -> None:
    """The instrument recognises the sample's header, and gives True or False for an empty one."""
    from astropy.io import fits

    assert record.matches is not None  # noqa: S101  (checked when the record was made)
    got = record.matches(headers_of(sample)[0])
    require(
        got is True,
        f"{record!r} recognises its header",
        expected=True,
        got=got,
        where="matches(primary)",
        inputs=seen(sample),
    )
    empty = record.matches(fits.Header())
    require(
        isinstance(empty, bool),
        f"{record!r} answers for any header",
        expected="True or False",
        got=empty,
        where="matches(empty header)",
    )


def _is_no_catch_all(record: Any) -> bool:
    """Whether an instrument is for some headers only: one that is a fallback, asked last, takes all."""
    return not record.fallback


@check("instrument", sampled=True, applies=_is_no_catch_all)
def check_matches_no_other(record: Instrument, sample: InstrumentSample) -> None:
    """The instrument leaves headers of other instruments to others."""
    from astropy.io import fits

    from drizframe.testing._stock_samples import instrument_samples

    assert record.matches is not None  # noqa: S101  (checked when the record was made)
    mine = sample.primary.get("INSTRUME")
    names = [n for n in ("INSTRUME", "TELESCOP", "DETECTOR", "CAMERA") if n in sample.primary]
    changed = fits.Header(sample.primary)
    changed.update(dict.fromkeys(names, "NONESUCH"))
    headers = {f"the sample's with {', '.join(names)} = 'NONESUCH'": changed} if "INSTRUME" in names else {}
    for name, other in instrument_samples().items():
        if other.primary["INSTRUME"] != mine:
            headers[f"one of {name}"] = fits.Header(other.primary)
    headers["an empty one"] = fits.Header()
    for which, header in headers.items():
        got = record.matches(header)
        require(
            got is False,
            f"{record!r} takes headers of its own instrument only",
            expected=False,
            got=got,
            where=f"matches(primary), header: {which}",
            inputs={"primary": dict(header)},
        )


@check("instrument", sampled=True)
def check_facts(record: Instrument, sample: InstrumentSample) -> None:
    """Facts of exposure and chips are those of the headers, finite and sane."""
    for kind in implementations(record):
        exposure, inputs = read(record, kind, sample), seen(sample)
        what = f"{record!r} ({kind}) reads the facts of the headers"
        require(
            [c.extver for c in exposure.chips] == sorted(sample.science),
            what,
            expected=sorted(sample.science),
            got=[c.extver for c in exposure.chips],
            where="extver of the chips",
            inputs=inputs,
        )
        require(
            exposure.name == "sample",
            what,
            expected="the name it was given",
            got=exposure.name,
            where="exposure.name",
        )
        for chip in exposure.chips:
            compare(
                what,
                chip.data(),
                np.full(sample.shape, chip.extver, dtype=np.float32),
                where=f"pixels of chip {chip.extver}, whose image is {chip.extver} everywhere",
                inputs=inputs,
            )
            for name, want in sample.facts.items():
                where = f"chip {chip.extver}, {name}"
                if isinstance(want, str | tuple):
                    require(
                        getattr(chip, name) == want,
                        what,
                        expected=want,
                        got=getattr(chip, name),
                        where=where,
                        inputs=inputs,
                    )
                else:
                    compare(what, getattr(chip, name), want, rtol=1e-9, where=where, inputs=inputs)
            _sane(chip, what, sample)


def _sane(chip: Any, what: str, sample: InstrumentSample) -> None:
    """Refuse facts that no detector has."""
    rules = {
        "gain": (chip.gain > 0, "above 0 electrons per count"),
        "effective_gain": (chip.effective_gain > 0, "above 0"),
        "conversion": (chip.conversion > 0, "above 0"),
        "readnoise": (chip.readnoise >= 0, "0 electrons or more"),
        "exptime": (chip.exptime > 0, "above 0 s"),
        "dark": (chip.dark is None or chip.dark >= 0, "None, or 0 electrons or more"),
        "cte_direction": (chip.cte_direction in (-1, 0, 1), "-1, 0 or +1"),
        "native_unit": (chip.native_unit in UNITS, f"one of {', '.join(UNITS)}"),
        "shape": (tuple(chip.shape) == tuple(sample.shape), f"{sample.shape}, as in the header"),
        "saturation_bits": (int(chip.saturation_bits) >= 0, "0 or more"),
        "cr_bits": (int(chip.cr_bits) >= 0, "0 or more"),
    }
    for name, (good, want) in rules.items():
        value = getattr(chip, name)
        finite = not isinstance(value, float) or np.isfinite(value)
        require(
            bool(good and finite),
            what,
            expected=want,
            got=value,
            where=f"chip {chip.extver}, {name}",
            inputs=seen(sample),
        )
    rate = chip.conversion / chip.effective_gain
    want_rate = chip.exptime if chip.rate else 1.0
    compare(
        f"{what}: conversion is effective gain, times exposure time for rates",
        rate,
        want_rate,
        rtol=1e-9,
        where=f"chip {chip.extver}",
    )


@check("instrument", sampled=True)
def check_overrides(record: Instrument, sample: InstrumentSample) -> None:
    """The user's gain, read noise and exposure time win, as values and as keywords, each in its place."""
    given = {"gain": 2.75, "readnoise": 8.5, "exptime": 321.0}
    for kind in implementations(record):
        for chip in read(record, kind, sample, **given).chips:
            for name, want in given.items():
                compare(
                    f"{record!r} ({kind}) honours the user's {name}",
                    getattr(chip, name),
                    want,
                    rtol=1e-9,
                    where=f"chip {chip.extver}, {name}",
                    inputs={"options": given},
                )
        headers = headers_of(sample)
        keywords = {"gain_keyword": "XGAIN", "readnoise_keyword": "XNOISE", "exptime_keyword": "XTIME"}
        headers[0].update(dict(zip(("XGAIN", "XNOISE", "XTIME"), given.values(), strict=True)))
        for chip in read(record, kind, sample, headers, **keywords).chips:
            for name, want in given.items():
                compare(
                    f"{record!r} ({kind}) honours the user's keyword for {name}",
                    getattr(chip, name),
                    want,
                    rtol=1e-9,
                    where=f"chip {chip.extver}, {name}",
                    inputs={"options": keywords, "header": given},
                )


@check("instrument", sampled=True)
def check_headers_untouched(record: Instrument, sample: InstrumentSample) -> None:
    """No header is changed, and reading twice gives the same facts."""
    names = ("gain", "readnoise", "exptime", "effective_gain", "conversion", "dark", "cte_direction")
    for kind in implementations(record):
        headers = headers_of(sample)
        named = {"primary header": headers[0]} | {
            f"science header {v}": header for v, header in headers[1].items()
        }
        before = {name: str(header) for name, header in named.items()}
        first = read(record, kind, sample, headers)
        for name, header in named.items():
            require(
                str(header) == before[name],
                f"{record!r} ({kind}) must not change the {name}",
                expected=before[name],
                got=str(header),
                where=name,
            )
        second = read(record, kind, sample)
        a, b = (plain([[getattr(c, n) for n in names] for c in e.chips]) for e in (first, second))
        require(
            a == b,
            f"{record!r} ({kind}) gives the same facts each time",
            expected=a,
            got=b,
            where=f"{', '.join(names)} of the chips",
        )


@check("instrument", sampled=True)
def check_missing_keywords(record: Instrument, sample: InstrumentSample) -> None:
    """Without its keywords an exposure gives facts that are finite, or an error of drizframe that says what is missing."""
    from astropy.io import fits

    for kind in implementations(record):
        primary, science = headers_of(sample)
        bare = fits.Header({k: primary[k] for k in ("INSTRUME", "DETECTOR") if k in primary})
        for key in list(science):
            science[key] = tangent_plane(sample.shape, 0.05).to_header()
            science[key].update({"NAXIS": 2, "NAXIS1": sample.shape[1], "NAXIS2": sample.shape[0]})
        what = f"{record!r} ({kind}) says which keyword is missing"
        try:
            exposure = read(record, kind, sample, (bare, science))
        except DrizframeError as error:
            require(
                len(str(error)) > 10,
                what,
                expected="a message",
                got=str(error),
                where="headers with a WCS only",
            )
        except Exception as error:
            raise CheckFailure(
                what, expected="InputError", got=repr(error), where="headers with a WCS only"
            ) from error
        else:
            values = [[c.gain, c.readnoise, c.conversion] for c in exposure.chips]
            require(
                bool(np.isfinite(values).all()),
                what,
                expected="finite facts, or InputError",
                got=values,
                where="headers with a WCS only",
            )
