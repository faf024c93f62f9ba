"""Maps of a run are made when asked for, dropped over a limit, and have the same bits when they are made again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from drizframe.config import make_parameters
from drizframe.grids.frames import build_frames
from drizframe.grids.maps import OTHER, Maps
from drizframe.model import ChipUnit
from drizframe.testing.samples import sample_exposures


@pytest.fixture(scope="module")
def exposures():
    return sample_exposures(4)


def maps_of(exposures, limit=2**30, *, parameters=None, wcsmap=None):
    chosen = make_parameters(parameters or {})
    frames = build_frames(exposures, chosen)
    return Maps(
        exposures,
        frames,
        stepsize=chosen.stepsize,
        blot_stepsize=chosen.blot_stepsize,
        wcsmap=wcsmap,
        limit=limit,
    )


def test_a_map_is_made_once_and_one_serves_where_frames_are_one(exposures):
    maps = maps_of(exposures)
    assert maps.made == 0
    first = maps["separate", ChipUnit(1, 0)]
    assert maps["separate", ChipUnit(1, 0)] is first
    assert maps["final", ChipUnit(1, 0)] is first
    assert maps["blot", ChipUnit(1, 0)] is first
    assert maps.made == 1
    assert maps.kinds() == ["separate"]


@pytest.mark.parametrize(
    ("parameters", "kinds"),
    [
        ({"final_scale": 0.07}, ["separate", "final"]),
        ({"blot_stepsize": 5}, ["separate", "blot"]),
        ({"blot_stepsize": 5, "final_rot": 10.0}, ["separate", "final", "blot"]),
    ],
)
def test_frames_and_steps_that_differ_have_maps_of_their_own(exposures, parameters, kinds):
    maps = maps_of(exposures, parameters=parameters)
    assert sorted(maps.kinds()) == sorted(kinds)
    made = {id(maps[k, ChipUnit(0, 0)]) for k in ("separate", "final", "blot")}
    assert len(made) == len(kinds)


def test_over_the_limit_a_map_goes_and_comes_back_with_its_bits(exposures):
    maps = maps_of(exposures, limit=3 * OTHER)
    units = [ChipUnit(i, 0) for i in range(4)]
    nodes = [maps["separate", u].nodes.tobytes() for u in units]
    assert len(maps._kept) < 4
    kept = maps["separate", units[3]]
    assert maps["separate", units[3]] is kept
    assert [maps["separate", u].nodes.tobytes() for u in units] == nodes
    assert maps.made > 4


def test_chips_that_are_asked_for_in_turn_find_some_of_their_maps():
    exposures = sample_exposures(12)
    maps = maps_of(exposures, limit=8 * OTHER)
    for _ in range(20):
        for i in range(12):
            maps["separate", ChipUnit(i, 0)]
    assert maps.made < 0.75 * 240


def test_one_map_is_kept_whatever_the_limit(exposures):
    maps = maps_of(exposures, limit=0)
    first = maps["separate", ChipUnit(0, 0)]
    assert maps["separate", ChipUnit(0, 0)] is first


def test_threads_that_want_the_same_map_get_one(exposures):
    maps = maps_of(exposures)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda k: maps["separate", ChipUnit(k % 4, 0)], range(64)))
    assert len({id(m) for m in got}) == 4


def test_the_error_of_the_tables_is_the_largest_of_all(exposures):
    maps = maps_of(exposures, parameters={"stepsize": 20})
    errors = [maps[kind, ChipUnit(i, 0)].table_error() for i in range(4) for kind in ("separate", "blot")]
    assert maps.table_error() == max(errors)
    assert maps_of(exposures, parameters={"stepsize": 0, "blot_stepsize": 0}).table_error() == 0.0
