"""Sky statistics and methods."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drizframe.hooks import SkyChip, SkyOptions, StatisticOptions
from drizframe.model import Overlap
from drizframe.stock.sky import globalmin, globalmin_match, localmin, match, mean, median, mode

STATISTICS = [median.MEDIAN, mode.MODE, mean.MEAN]
METHODS = [localmin.LOCALMIN, globalmin.GLOBALMIN, match.MATCH, globalmin_match.GLOBALMIN_MATCH]


def middle(values):
    return (float(np.median(values)), values.size) if values.size else (math.nan, 0)


def chip(exposure, number, image, conversion=1.0):
    image = np.asarray(image, np.float32)
    name = f"e{exposure}[sci,{number + 1}]"
    return SkyChip(
        key=(exposure, number), exposure=exposure, name=name, conversion=conversion,
        pixels=lambda region=None: image.ravel() if region is None else image[np.asarray(region, bool)],
    )  # fmt: skip


def flat(exposure, number, level, conversion=1.0):
    return chip(exposure, number, np.full((4, 4), level), conversion)


def everywhere(chips, connected=None):
    """Overlaps of all chips of different exposures, or of the connected ones."""
    all_pixels = np.ones((4, 4), bool)
    return [
        Overlap(first=a.key, second=b.key, first_region=all_pixels, second_region=all_pixels, area=1e-9)
        for a, b in itertools.combinations(chips, 2)
        if a.exposure != b.exposure and (connected is None or (a.exposure, b.exposure) in connected)
    ]


def run(method, chips, connected=None, statistic=middle):
    warned: list[str] = []
    found = method.reference(
        chips,
        statistic,
        overlaps=lambda: everywhere(chips, connected),
        options=SkyOptions(warn=warned.append),
    )
    return found, warned


@pytest.mark.parametrize("record", STATISTICS, ids=lambda r: r.name)
def test_statistics_say_nothing_is_there_by_nan_and_0(record):
    for call in filter(None, (record.reference, record.fast)):
        for values, options in (
            (np.empty(0, np.float32), StatisticOptions()),
            (np.full(9, np.nan, np.float32), StatisticOptions()),
            (np.ones(9, np.float32), StatisticOptions(lower=5.0)),
        ):
            value, count = call(values, options)
            assert math.isnan(value)
            assert count == 0


@pytest.mark.parametrize("record", STATISTICS, ids=lambda r: r.name)
def test_statistics_of_both_halves_are_the_same_bits(record):
    if record.fast is None:
        pytest.skip("not compiled")
    values = np.random.default_rng(3).normal(10, 2, 5000).astype(np.float32)
    for options in (StatisticOptions(), StatisticOptions(nclip=0, lower=8.0, upper=11.0, binwidth=0.1)):
        assert record.fast(values, options) == record.reference(values, options)


def test_types_of_values_decide_the_precision_of_the_subtraction():
    values = np.random.default_rng(3).normal(10, 2, 5000).astype(np.float32)
    assert isinstance(median.median(values, StatisticOptions())[0], np.float32)
    assert type(mean.mean(values, StatisticOptions())[0]) is float
    assert isinstance(mode.mode(values, StatisticOptions())[0], np.float64)


def test_localmin_gives_an_exposure_the_brightness_of_its_darkest_chip():
    chips = [flat(0, 0, 10, 2.0), flat(0, 1, 6, 4.0), flat(1, 0, 7)]
    found, warned = run(localmin.LOCALMIN, chips)
    assert [found[c.key].subtracted for c in chips] == [10.0, 5.0, 7.0]
    assert all(v.method == "localmin" and v.level == v.subtracted for v in found.values())
    assert not warned


def test_globalmin_gives_all_the_brightness_of_the_darkest_chip():
    chips = [flat(0, 0, 10, 2.0), flat(0, 1, 6, 4.0), flat(1, 0, 7)]
    found, _ = run(globalmin.GLOBALMIN, chips)
    assert [found[c.key].subtracted for c in chips] == [3.5, 1.75, 7.0]


@pytest.mark.parametrize("method", METHODS, ids=lambda r: r.name)
@pytest.mark.parametrize("empty", [0, 1])
def test_an_exposure_without_data_is_told_and_does_not_stop_the_run(method, empty):
    chips = [chip(e, 0, np.empty((0,)) if e == empty else np.full((4, 4), 5.0 + e)) for e in range(3)]
    chips = [SkyChip(key=c.key, exposure=c.exposure, name=c.name, conversion=1.0,
                     pixels=(lambda region=None, c=c: c.pixels())) for c in chips]  # fmt: skip
    found, warned = run(method, chips)
    assert any(f"e{empty}" in text for text in warned)
    assert all(math.isfinite(v.level) for v in found.values())
    left = [e for e in range(3) if e != empty]
    expected = {"localmin": [5.0 + e for e in left], "globalmin": [5.0 + left[0]] * 2}
    if method.name in expected:
        assert [found[e, 0].level for e in left] == expected[method.name]
    if method.name == "localmin":
        assert (found[empty, 0].level, found[empty, 0].method) == (0.0, "none")


def test_match_finds_the_differences_and_the_lowest_is_0():
    chips = [flat(e, k, level) for e, level in enumerate((12.0, 10.0, 17.0)) for k in (0, 1)]
    found, warned = run(match.MATCH, chips)
    assert [found[c.key].subtracted for c in chips] == pytest.approx([2, 2, 0, 0, 7, 7], abs=1e-9)
    assert {v.method for v in found.values()} == {"match"}
    assert any("differences" in text for text in warned)


def test_globalmin_match_adds_the_darkest_sky_that_is_left():
    chips = [flat(e, k, level) for e, level in enumerate((12.0, 10.0, 17.0)) for k in (0, 1)]
    found, warned = run(globalmin_match.GLOBALMIN_MATCH, chips)
    assert [found[c.key].subtracted for c in chips] == pytest.approx([12, 12, 10, 10, 17, 17], rel=1e-9)
    assert not warned


def test_an_exposure_without_overlap_is_named_and_gets_no_difference():
    chips = [flat(0, 0, 5), flat(1, 0, 8), flat(2, 0, 9)]
    found, warned = run(match.MATCH, chips, connected={(0, 1)})
    assert (found[2, 0].level, found[2, 0].method) == (0.0, "none")
    assert any("e2" in text for text in warned)
    found, _ = run(globalmin_match.GLOBALMIN_MATCH, chips, connected={(0, 1)})
    assert (found[2, 0].level, found[2, 0].method) == (pytest.approx(5.0), "globalmin")


def test_groups_that_share_no_pixels_are_reported():
    chips = [flat(e, 0, level) for e, level in enumerate((5.0, 8.0, 1.0, 3.0))]
    found, warned = run(match.MATCH, chips, connected={(0, 1), (2, 3)})
    assert found[1, 0].level - found[0, 0].level == pytest.approx(3)
    assert found[3, 0].level - found[2, 0].level == pytest.approx(2)
    assert any("e0, e1; e2, e3" in text for text in warned)


def test_pairs_without_area_or_pixels_do_not_count():
    chips = [flat(0, 0, 5), flat(1, 0, 8)]
    nothing = np.zeros((4, 4), bool)
    options = SkyOptions(warn=lambda _: None)
    whole = everywhere(chips)[0]
    for overlap in (
        Overlap(first=(0, 0), second=(1, 0), first_region=~nothing, second_region=nothing, area=1.0),
        Overlap(first=(0, 0), second=(1, 0), first_region=~nothing, second_region=~nothing, area=0.0),
    ):
        found = match.match(chips, middle, overlaps=itertools.repeat([overlap]).__next__, options=options)
        assert {v.method for v in found.values()} == {"none"}
    assert match.match(chips, middle, overlaps=lambda: [whole], options=options)[1, 0].level == pytest.approx(
        3
    )


LEVELS = st.lists(st.floats(0, 500, width=32), min_size=2, max_size=5)


@settings(max_examples=30)
@given(levels=LEVELS, shift=st.integers(1, 400))
@pytest.mark.parametrize("method", METHODS, ids=lambda r: r.name)
def test_a_constant_added_to_all_shifts_measured_skies_and_no_difference(method, levels, shift):
    def skies(extra):
        chips = [flat(e, 0, level + extra) for e, level in enumerate(levels)]
        found, _ = run(method, chips)
        return np.array([found[c.key].level for c in chips])

    moved = 0 if method.name == "match" else shift
    np.testing.assert_allclose(skies(shift), skies(0) + moved, atol=1e-3)


@settings(max_examples=30)
@given(levels=LEVELS, data=st.data())
@pytest.mark.parametrize("method", METHODS, ids=lambda r: r.name)
def test_another_order_of_the_exposures_gives_the_same_skies_in_that_order(method, levels, data):
    order = data.draw(st.permutations(range(len(levels))))

    def skies(values):
        chips = [flat(e, k, v + k) for e, v in enumerate(values) for k in (0, 1)]
        found, _ = run(method, chips)
        return np.array([found[e, 0].level for e in range(len(values))])

    np.testing.assert_allclose(skies([levels[k] for k in order]), skies(levels)[list(order)], atol=1e-4)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_match_explains_consistent_differences_whatever_the_weights(seed):
    rng = np.random.default_rng(seed)
    levels = rng.uniform(0, 100, 5).astype(np.float32)
    chips = [flat(e, 0, level) for e, level in enumerate(levels)]
    overlaps = []
    for i, j in [(0, 1), (1, 2), (2, 3), (3, 4), (0, 3)]:
        regions = [np.zeros((4, 4), bool), np.zeros((4, 4), bool)]
        for region in regions:
            region.ravel()[: rng.integers(1, 17)] = True
        overlaps.append(
            Overlap(first=(i, 0), second=(j, 0), first_region=regions[0], second_region=regions[1], area=1.0)
        )
    found = match.match(chips, middle, overlaps=lambda: overlaps, options=SkyOptions(warn=lambda _: None))
    np.testing.assert_allclose([found[c.key].level for c in chips], levels - levels.min(), atol=1e-4)
