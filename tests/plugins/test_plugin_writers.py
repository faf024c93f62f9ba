"""Writers of plugins: NumPy archives, and folders as Zarr lays them out, work in a run like the stock ones."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe.errors import (
    ConflictError,
    DrizframeWarning,
    HookError,
    OutputError,
    ParameterError,
    PluginError,
)
from drizframe.hooks import GatheringSink, Step, Writer
from drizframe.model import Extension, Plane
from drizframe.testing import WriterSample, run_checks
from drizframe.testing.samples import sample_exposures

#: Enough for a mosaic.
QUICK = {
    "static": False, "skysub": False, "driz_separate": False, "median": False, "blot": False, "driz_cr": False,
    "num_cores": 1,
}  # fmt: skip
ROWS = 16


class Archive(GatheringSink):
    """``<root>.npz``, written at once."""

    def close(self):
        (target,) = self.product.targets
        with self.product.stage(target).open("wb") as stream:
            np.savez(stream, run=self.product.run, **self.images)
        return [target]


class Chunk(GatheringSink):
    """The science image as bytes, in a file or a folder."""

    def close(self):
        (target,) = self.product.targets
        part = self.product.stage(target)
        (part / "0" if part.is_dir() else part).write_bytes(self.images["sci"].tobytes())
        return [target]


def run_of_archive(path):
    with np.load(path) as archive:
        return str(archive["run"])


class Store:
    """``<root>.zarr/``: a group with an array for each layer, in chunks of some rows, written as windows come."""

    closed = 0

    def __init__(self, product):
        self.product, self.folder, self.chunks = product, product.stage(product.targets[0]), {}
        (self.folder / ".zgroup").write_text(json.dumps({"zarr_format": 2}))
        (self.folder / ".zattrs").write_text(json.dumps({"run": product.run, "unit": product.unit}))
        for name, layer in product.layers.items():
            self.begin(name, layer)

    def begin(self, name, layer):
        home = self.folder / name
        home.mkdir()
        chunk = (*layer.shape[:-2], ROWS, layer.shape[-1])
        head = {
            "zarr_format": 2,
            "shape": layer.shape,
            "chunks": chunk,
            "dtype": layer.dtype.str,
            "order": "C",
        }
        more = {"compressor": None, "filters": None, "fill_value": None}
        (home / ".zarray").write_text(json.dumps({**head, **more}))
        for k in range(-(-layer.shape[-2] // ROWS)):
            path = home / ".".join(["0"] * (len(chunk) - 2) + [str(k), "0"])
            self.chunks[name, k] = np.memmap(path, layer.dtype, "w+", shape=chunk)
            self.chunks[name, k][...] = layer.fill

    def write(self, plane, window, array):
        for y in range(window.y0, window.y1):
            row = self.chunks[plane, y // ROWS][..., y % ROWS, window.x0 : window.x1]
            row[...] = array[..., y - window.y0, :]

    def close(self):
        for chunk in self.chunks.values():
            chunk.flush()
        self.chunks.clear()
        return list(self.product.targets)

    def abort(self):
        self.chunks.clear()


def read_zarr(paths):
    """Read the layers of a group."""
    found = {}
    for head in paths[0].glob("*/.zarray"):
        described = json.loads(head.read_text())
        shape, chunk = described["shape"], described["chunks"]
        pieces = sorted(
            (p for p in head.parent.iterdir() if p != head), key=lambda p: int(p.name.split(".")[-2])
        )
        image = np.concatenate([np.fromfile(p, described["dtype"]).reshape(chunk) for p in pieces], axis=-2)
        found[head.parent.name] = image[..., : shape[-2], :]
    return found


def read_archive(paths):
    with np.load(paths[0]) as archive:
        return {name: archive[name] for name in archive.files if name != "run"}


NPZ = Writer(name="mine.npz", summary="Archive.", open=Archive, endings=(".npz",), run_of=run_of_archive)
ZARR = Writer(
    name="mine.zarr", summary="Folder.", open=Store, endings=(".zarr/",),
    run_of=lambda path: json.loads((path / ".zattrs").read_text())["run"],
)  # fmt: skip
READERS = {".npz": read_archive, ".zarr": read_zarr}


def plugin(*writers):
    """Return a plugin that somebody else publishes."""

    class Plugin:
        @drizframe.hookimpl
        def drizframe_writers(self):
            yield from writers

    return Plugin()


@pytest.fixture
def formats():
    name = drizframe.register(plugin(NPZ, ZARR))
    yield
    drizframe.unregister(name)


@pytest.fixture(scope="module")
def exposures():
    return sample_exposures(2)


def run(exposures, output, **more):
    return drizframe.run(exposures, str(output), **{**QUICK, **more})


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("record", [NPZ, ZARR], ids=lambda r: r.name)
def test_both_pass_the_kit(record):
    (suffix,) = record.suffixes
    outcomes = run_checks(record, sample=WriterSample(read=READERS[suffix]))
    assert [o.text for o in outcomes if not o.ok] == []


@pytest.mark.parametrize("suffix", [".npz", ".zarr"])
def test_the_ending_of_the_output_chooses_the_writer(formats, exposures, tmp_path, suffix):
    result = run(exposures, tmp_path / f"new{suffix}", layers=("variance",))
    assert names(tmp_path) == [f"new{suffix}"]
    back = READERS[suffix](result.products)
    assert sorted(back) == sorted(result.mosaic.layers) == ["ctx", "sci", "var", "wht"]
    for name, layer in result.mosaic.layers.items():
        np.testing.assert_array_equal(back[name], layer.image)


def test_a_name_chooses_the_writer_and_the_usual_one_makes_headers_and_planes(formats, exposures, tmp_path):
    result = run(
        exposures, tmp_path / "a", writer="mine.npz", driz_separate=True, median=True, keep=("median",)
    )
    assert names(tmp_path) == ["a_drz.npz", "a_med.fits"]
    assert result.header["CTYPE1"] == "RA---TAN"
    assert sorted(p.name for p in result.products) == names(tmp_path)


@pytest.mark.parametrize("suffix", [".npz", ".zarr"])
def test_a_second_run_replaces_its_own_product_and_no_other(formats, exposures, tmp_path, suffix):
    output = tmp_path / f"new{suffix}"
    run(exposures, output)
    again = run(exposures, output, final_pixfrac=0.8)
    np.testing.assert_array_equal(READERS[suffix](again.products)["sci"], again.sci)
    with pytest.raises(OutputError, match="other inputs"):
        run(exposures[:1], output)
    run(exposures[:1], output, overwrite_products=True)
    assert names(tmp_path) == [output.name]


def test_a_folder_that_is_no_product_is_never_replaced(formats, exposures, tmp_path):
    (tmp_path / "new.zarr").mkdir()
    (tmp_path / "new.zarr" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is a folder, and no product"):
        run(exposures, tmp_path / "new.zarr", overwrite_products=True)
    assert names(tmp_path / "new.zarr") == ["mine.txt"]


def failing(path):
    return 1 / 0


@pytest.mark.parametrize("more", [{}, {"final_pixfrac": 0.8}], ids=str)
def test_a_run_of_that_fails_is_told_with_its_writer(exposures, tmp_path, more):
    odd = Writer(name="mine.odd", summary="Odd.", open=Archive, endings=(".npz",), run_of=failing)
    run(exposures, tmp_path / "a", writer=odd)
    with pytest.raises(
        OutputError, match=r"a_drz.npz: .*run_of\(path\) of writer 'mine.odd' failed.*ZeroDivisionError"
    ):
        run(exposures, tmp_path / "a", writer=odd, **more)
    run(exposures, tmp_path / "a", writer=odd, overwrite_products=True)


def test_a_run_of_that_fails_on_a_file_beside_the_products_is_a_warning(exposures, tmp_path):
    odd = Writer(name="mine.odd", summary="Odd.", open=Archive, endings=(".npz",), run_of=failing)
    name = drizframe.register(plugin(odd))
    try:
        run(exposures, tmp_path / "a", writer="mine.odd")
        with pytest.warns(DrizframeWarning, match="writer 'mine.odd' failed"):
            result = run(exposures, tmp_path / "a", build=True)
    finally:
        drizframe.unregister(name)
    assert any("a_drz.npz stands beside" in t and "writer 'mine.odd' failed" in t for t in result.warnings)
    assert names(tmp_path) == ["a_drz.fits", "a_drz.npz"]


def test_a_product_of_the_same_run_in_another_format_goes(formats, exposures, tmp_path):
    run(exposures, tmp_path / "a")
    run(exposures, tmp_path / "a", writer="mine.zarr")
    assert names(tmp_path) == ["a_drz.zarr"]
    run(exposures, tmp_path / "a", build=True)
    assert names(tmp_path) == ["a_drz.fits"]


@pytest.mark.parametrize("suffix", [".npz", ".zarr"])
@pytest.mark.parametrize("moment", ["write", "close", "rename"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_failure_leaves_what_was_there(exposures, tmp_path, monkeypatch, suffix, moment, earlier):
    aborted = []

    class Broken({".npz": Archive, ".zarr": Store}[suffix]):
        def write(self, plane, window, array):
            super().write(plane, window, array)
            if moment == "write" and plane == "wht":
                raise OSError(28, "No space left on device")

        def close(self):
            paths = super().close()
            if moment == "close":
                raise OSError(28, "No space left on device")
            return paths

        def abort(self):
            aborted.append(True)
            super().abort()

    def refused(part, target, replace=Path.replace):
        if moment == "rename" and part.name.endswith(".part"):
            raise OSError(13, "Permission denied")
        return replace(part, target)

    output = tmp_path / f"new{suffix}"
    record = NPZ if suffix == ".npz" else ZARR
    if earlier:
        run(exposures, output, writer=record)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    broken = Writer(
        name="mine.broken", summary="Fails.", open=Broken, endings=record.endings, run_of=record.run_of
    )
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        patch.setattr("os.link", lambda *a, **k: (_ for _ in ()).throw(OSError(1, "no links")))
        with pytest.raises(OutputError, match=r"No space left|Permission denied"):
            run(exposures, output, writer=broken, median=False, final_pixfrac=0.8)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert names(tmp_path) == ([output.name] if earlier else [])
    assert bool(aborted) == (moment != "rename")


def test_an_error_of_the_writer_names_it(exposures, tmp_path):
    class Odd(Archive):
        def close(self):
            return 1 / 0

    name = drizframe.register(plugin(Writer(name="mine.odd", summary="Odd.", open=Odd, endings=(".odd",))))
    try:
        with pytest.raises(PluginError, match=r"Writer 'mine.odd' of .*ZeroDivisionError"):
            run(exposures, tmp_path / "a.odd")
    finally:
        drizframe.unregister(name)
    assert names(tmp_path) == []


def test_a_gathering_sink_without_close_says_what_to_write(exposures, tmp_path):
    class Forgetful(GatheringSink):
        pass

    forgetful = Writer(name="mine.odd", summary="Odd.", open=Forgetful, endings=(".odd",))
    with pytest.raises(HookError, match=r"Forgetful has no close\(\).*product.stage"):
        run(exposures, tmp_path / "a.odd", writer=forgetful)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda sink: [], "returned nothing, but .*new.npz was staged"),
        (lambda sink: None, "it must return a list of paths"),
        (lambda sink: sink.product.stage(sink.product.path / "x"), "none of the files that the writer's endings announce"),
    ],
)  # fmt: skip
def test_a_sink_that_does_not_say_what_it_wrote_is_refused(exposures, tmp_path, answer, text):
    class Odd(Archive):
        def close(self):
            super().close()
            return answer(self)

    odd = Writer(name="mine.odd", summary="Odd.", open=Odd, endings=(".npz",))
    with pytest.raises((PluginError, OutputError), match=text):
        run(exposures, tmp_path / "new.npz", writer=odd)
    assert names(tmp_path) == []


def test_a_library_that_looks_at_endings_finds_its_own(exposures, tmp_path):
    class Plain(GatheringSink):
        def close(self):
            (target,) = self.product.targets
            np.savez(self.product.stage(target), run=self.product.run, **self.images)
            return [target]

    plain = Writer(name="mine.plain", summary="Plain.", open=Plain, endings=(".npz",))
    result = run(exposures, tmp_path / "new.npz", writer=plain)
    np.testing.assert_array_equal(read_archive(result.products)["sci"], result.sci)
    assert names(tmp_path) == ["new.npz"]


@pytest.mark.parametrize(
    ("ending", "act", "text"),
    [
        (".npz", lambda path: None, "is still empty after"),
        (".npz", lambda path: path.unlink(), "is missing after"),
        (".npz", lambda path: (path.unlink(), path.mkdir()), "is a folder, not a file after"),
        (".npz", lambda path: path.with_suffix(".x").write_text("x"), r"is still empty .*but wrote 'new.x' beside it"),
        (".zarr/", lambda path: None, "is still empty after"),
        (".zarr/", lambda path: path.rmdir(), "is missing after"),
    ],
)  # fmt: skip
def test_a_sink_that_did_not_write_where_it_was_told_is_refused(exposures, tmp_path, ending, act, text):
    class Odd(GatheringSink):
        def close(self):
            act(self.product.stage(self.product.targets[0]))
            return list(self.product.targets)

    odd = Writer(name="mine.odd", summary="Odd.", open=Odd, endings=(ending,))
    name = "new" + ending.rstrip("/")
    with pytest.raises(PluginError, match=rf"(?s)riter 'mine.odd'.*{name}.*{text}"):
        run(exposures, tmp_path / name, writer=odd)
    assert names(tmp_path) == []


def test_what_a_sink_left_beside_its_file_goes_and_is_told(exposures, tmp_path):
    class Untidy(Archive):
        def close(self):
            paths = super().close()
            self.product.stage(paths[0]).with_suffix(".lock").write_text("x")
            return paths

    untidy = Writer(name="mine.untidy", summary="Untidy.", open=Untidy, endings=(".npz",))
    with pytest.warns(DrizframeWarning, match="left 'new.lock'"):
        result = run(exposures, tmp_path / "new.npz", writer=untidy)
    assert any("'mine.untidy' left 'new.lock'" in text for text in result.warnings)
    assert names(tmp_path) == ["new.npz"]


def test_what_is_no_sink_is_refused(exposures, tmp_path):
    odd = Writer(
        name="mine.odd", summary="Odd.", open=lambda product: SimpleNamespace(write=1), endings=(".npz",)
    )
    with pytest.raises(PluginError, match="must return a sink with write, close and abort"):
        run(exposures, tmp_path / "new.npz", writer=odd)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"writer": "mine.npz", "build": True}, "build=True asks for"),
        ({"output": "a.npz", "build": True}, "build=True asks for"),
        ({"output": "a.npz", "writer": "mine.zarr"}, "has the ending of writer 'mine.npz'"),
        ({"writer": "mine.nothing"}, "mine.npz, mine.zarr"),
    ],
)
def test_contradictions_are_refused_before_the_work(formats, exposures, tmp_path, more, text):
    output = tmp_path / more.pop("output", "a")
    with pytest.raises(ParameterError, match=text):
        run(exposures, output, **more)


def test_two_writers_of_one_ending_want_a_name(formats, exposures, tmp_path):
    other = drizframe.register(
        plugin(Writer(name="other.npz", summary="Too.", open=Archive, endings=(".npz",))), "another"
    )
    try:
        with pytest.raises(ConflictError, match=r"writer='mine.npz' or 'other.npz'"):
            run(exposures, tmp_path / "a.npz")
        run(exposures, tmp_path / "a.npz", writer="other.npz")
    finally:
        drizframe.unregister(other)


@pytest.mark.parametrize(
    ("ending", "output", "file"),
    [
        (".tar.gz", "x.tar.gz", "x.tar.gz"),
        (".tar.gz", "X.TAR.GZ", "X.tar.gz"),
        (".tar.gz", "m31.v2.tar.gz", "m31.v2.tar.gz"),
        (".ome.zarr/", "x.ome.zarr", "x.ome.zarr"),
        (".npz", "X.NPZ", "X.npz"),
        ("_map.npz", "x_map.npz", "x_map.npz"),
        ("_map.npz", "x.npz", "x_map.npz"),
        ("_map.fits", "x_map.fits", "x_map.fits"),
        (".cube.fits", "x.cube.fits", "x.cube.fits"),
        (".fits.gz", "x.fits.gz", "x.fits.gz"),
    ],
)  # fmt: skip
def test_the_whole_ending_of_an_output_is_that_of_the_writer(exposures, tmp_path, ending, output, file):
    mine = Writer(name="mine", summary="Mine.", open=Chunk, endings=(ending,))
    other = Writer(name="other", summary="Other.", open=Chunk, endings=(".other.gz", ".zarr/"))
    name = drizframe.register(plugin(mine, other))
    try:
        result = run(exposures, tmp_path / output)
        assert [p.name for p in result.products] == [file]
        (tmp_path / "later").mkdir()
        assert [p.name for p in result.write(tmp_path / "later" / output)] == [file]
    finally:
        drizframe.unregister(name)
    assert names(tmp_path) == sorted([file, "later"])


@pytest.mark.parametrize(
    ("ending", "output", "file"),
    [("_x.", "a_x.", "a_x."), ("-map", "a-map", "a-map"), ("-map", "-map", "-map_drz-map")],
)
def test_an_ending_without_a_suffix_is_cut_where_the_writer_is_named(
    exposures, tmp_path, ending, output, file
):
    mine = Writer(name="mine", summary="Mine.", open=Chunk, endings=(ending,))
    run(exposures, tmp_path / output, writer=mine)
    assert names(tmp_path) == [file]


def test_a_root_that_ends_as_files_of_a_writer_without_a_suffix_is_a_root(exposures, tmp_path):
    name = drizframe.register(plugin(Writer(name="mine", summary="Mine.", open=Chunk, endings=("-map",))))
    try:
        run(exposures, tmp_path / "a-map", build=True)
    finally:
        drizframe.unregister(name)
    assert names(tmp_path) == ["a-map_drz.fits"]


def test_a_result_is_written_in_any_format(formats, exposures, tmp_path):
    result = drizframe.run(exposures, **QUICK)
    assert [p.name for p in result.write(tmp_path / "a.zarr")] == ["a.zarr"]
    assert [p.name for p in result.write(tmp_path / "b", writer="mine.npz")] == ["b_drz.npz"]
    assert [p.name for p in result.write(tmp_path / "c", writer="fits-mef")] == ["c_drz.fits"]


def test_the_stock_writers_can_be_named(exposures, tmp_path):
    run(exposures, tmp_path / "a", writer="fits-mef")
    run(exposures, tmp_path / "b", writer="fits-simple", context=False)
    assert names(tmp_path) == ["a_drz.fits", "b_drz_sci.fits", "b_drz_wht.fits"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reference": lambda mosaic, path, *, overwrite: []}, "contract 1.*open=…, endings=.*product.stage"),
        ({"endings": (".npz",)}, r"has no open\(product\)"),
        ({"open": Archive}, "Say what its files add to the root"),
        ({"open": Archive, "endings": ("a/b",)}, "Say what its files add to the root"),
        (
            {"open": Archive, "endings": ("npz",)},
            "has the ending 'npz', .* part of the root: mosaicnpz. Begin it with .*'.npz', '_npz'",
        ),
        ({"open": Archive, "endings": (".npz",), "form": "both"}, "choose '', 'parts'"),
        ({"open": Archive, "endings": (".npz",), "planes": print}, "planes and plane_files go together"),
    ],
)
def test_a_record_that_could_not_work_is_refused(fields, text):
    with pytest.raises(HookError, match=text):
        Writer(name="mine", summary="Mine.", **fields)


# -- layers of plugins -------------------------------------------------------------------------------------------------


def counting(product, dtype="int32"):
    """Return a plugin with a step that makes a layer."""
    plane = Plane(
        name="mine.count", meaning="exposures behind each pixel", on="frame", grid="final", dtype=dtype, product=product
    )  # fmt: skip

    def count(job):
        return {"mine.count": np.isfinite(job.read("mosaic.sci")).astype(np.int32)}

    class Plugin:
        @drizframe.hookimpl
        def drizframe_extra_steps(self):
            yield Step(
                name="mine.count", summary="Counts.", needs=("mosaic.sci",), makes=(plane,), over="tile", grid="final",
                run=count,
            )  # fmt: skip

    return Plugin()


@pytest.mark.parametrize("product", ["NEXP", Extension(name="NEXP", meaning="exposures", unit="1")], ids=type)
def test_a_layer_of_a_plugin_is_in_the_mosaic_and_in_every_format(formats, exposures, tmp_path, product):
    name = drizframe.register(counting(product), "counting")
    try:
        result = run(exposures, tmp_path / "a.npz")
        (one,) = result.write(tmp_path / "b", writer="fits-mef")
        parts = result.write(tmp_path / "c", writer="fits-simple")
    finally:
        drizframe.unregister(name)
    assert list(result.mosaic.layers) == ["sci", "wht", "ctx", "nexp"]
    image = result.mosaic.layers["nexp"].image
    np.testing.assert_array_equal(image, np.isfinite(result.sci))
    np.testing.assert_array_equal(read_archive(result.products)["nexp"], image)
    with fits.open(one) as hdus:
        assert [h.name for h in hdus][1:5] == ["SCI", "WHT", "CTX", "NEXP"]
        np.testing.assert_array_equal(hdus["NEXP"].data, image)
        assert hdus["NEXP"].header.get("BUNIT", "") == ("" if product == "NEXP" else "1")
    assert [p.name for p in parts] == [
        "c_drz_sci.fits",
        "c_drz_wht.fits",
        "c_drz_ctx.fits",
        "c_drz_nexp.fits",
    ]


@pytest.mark.parametrize(("dtype", "scaled"), [("int32", False), ("real", False), ("float32", True)])
def test_counts_and_flags_are_no_rates(exposures, dtype, scaled):
    per_second = Extension(name="NEXP", meaning="exposures", seconds=0 if dtype == "int32" else 1)
    name = drizframe.register(counting(per_second, dtype), "counting")
    try:
        rate, counts = (drizframe.run(exposures, final_units=u, **QUICK) for u in ("cps", "counts"))
    finally:
        drizframe.unregister(name)
    one, other = (r.mosaic.layers["nexp"].image for r in (rate, counts))
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(other, (counts.mosaic.exptime if scaled else 1) * one)


def test_two_planes_of_one_extension_are_told_before_the_work(exposures):
    name = drizframe.register(counting("SCI", "float32"), "counting")
    try:
        with pytest.raises(
            ConflictError, match=r"'mosaic.sci' and 'mine.count' both want to be extension 'SCI'"
        ):
            drizframe.run(exposures, **QUICK)
    finally:
        drizframe.unregister(name)


def test_a_layer_lies_on_the_final_frame():
    with pytest.raises(HookError, match="grid='final'"):
        Plane(name="mine.x", meaning="x", on="chip", product="X")
