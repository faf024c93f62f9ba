"""Base classes of tests whose set-up is rich: the author fills in two fixtures.

::

    class TestMyReader(ReaderConformance):
        @pytest.fixture
        def record(self):
            return MY_READER

        @pytest.fixture
        def sample(self):
            return ReaderSample(write=write_my_file, images=[IMAGE], exptime=100.0)
"""

from __future__ import annotations

from typing import Any

import pytest

from drizframe.testing.checking import all_checks, describe

__all__ = ["InstrumentConformance", "ReaderConformance", "WriterConformance"]


class _Conformance:
    """What the base classes share."""

    #: Checks that are known to fail, and why.
    expected_failures: dict[str, str] = {}  # noqa: RUF012  (authors override it)

    @pytest.fixture
    def record(self) -> Any:
        """Return the record to check."""
        pytest.fail(f"{type(self).__name__} needs a fixture 'record' that returns the component")

    @pytest.fixture
    def sample(self) -> Any:
        """Return the sample."""
        pytest.fail(f"{type(self).__name__} needs a fixture 'sample'; see drizframe.testing.samples")

    def _run(self, name: str, record: Any, sample: Any) -> None:
        found = next(c for c in all_checks() if c.name == name and c.suits(record))
        reason = self.expected_failures.get(name)
        try:
            found.run(record, sample)
        except Exception as error:
            if reason is None:
                raise
            pytest.xfail(f"{reason} ({describe(error).splitlines()[0]})")
        if reason is not None:
            pytest.fail(
                f"{name} was expected to fail ({reason}), but it passes; remove it from expected_failures"
            )


class ReaderConformance(_Conformance):
    """What every reader keeps; fill in `record` and `sample` (a `ReaderSample`)."""

    def test_round_trip(self, record: Any, sample: Any) -> None:
        """What was written is read."""
        self._run("check_reads_sample", record, sample)

    def test_leaves_files_alone(self, record: Any, sample: Any) -> None:
        """No file is changed or left behind."""
        self._run("check_leaves_files_alone", record, sample)

    def test_missing_file(self, record: Any, sample: Any) -> None:
        """A missing file is an error that names it."""
        self._run("check_missing_file", record, sample)

    def test_truncated_file(self, record: Any, sample: Any) -> None:
        """A truncated file is never read as if it were whole."""
        self._run("check_truncated_file", record, sample)


class WriterConformance(_Conformance):
    """What every writer keeps; fill in `record` and `sample` (a `WriterSample`)."""

    def test_round_trip(self, record: Any, sample: Any) -> None:
        """What is written can be read back."""
        self._run("check_writes_and_reads_back", record, sample)

    def test_mosaic_untouched(self, record: Any) -> None:
        """The mosaic is not changed, and only the files that are returned appear."""
        self._run("check_files_are_listed", record, None)

    def test_replaces_at_the_end(self, record: Any) -> None:
        """Earlier files are replaced, but not before all is written."""
        self._run("check_replaces_at_the_end", record, None)

    def test_nothing_left_on_failure(self, record: Any) -> None:
        """If one file cannot be written, none is left."""
        self._run("check_nothing_left_on_failure", record, None)


class InstrumentConformance(_Conformance):
    """What every instrument keeps; fill in `record` and `sample` (an `InstrumentSample`)."""

    def test_matches(self, record: Any, sample: Any) -> None:
        """The sample's header is recognised."""
        self._run("check_matches_sample", record, sample)

    def test_facts(self, record: Any, sample: Any) -> None:
        """Facts are those of the headers, finite and sane."""
        self._run("check_facts", record, sample)

    def test_overrides(self, record: Any, sample: Any) -> None:
        """The user's gain, read noise and exposure time win, each in its place."""
        self._run("check_overrides", record, sample)

    def test_headers_untouched(self, record: Any, sample: Any) -> None:
        """The primary header is not changed."""
        self._run("check_headers_untouched", record, sample)
