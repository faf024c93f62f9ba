"""Write docs/reference/conformance.md: every check of `drizframe.testing`, by family."""

from __future__ import annotations

from pathlib import Path

from drizframe.hooks import COMPONENT_HOOKS
from drizframe.testing import Check, all_checks

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "conformance.md"
INTRODUCTION = """\
# Conformance checks

`@conformance(RECORD)` of `drizframe.testing` makes one test of each check of the record's family and traits, and
`drizframe validate PACKAGE.NAME` runs them on the command line. A check calls the component as the engine does, with drawn
inputs and with those that go wrong most often: long lists of pixels, whole and half pixels, tiny and huge drops, tiles of
wide images, nothing good in a pixel, many tasks.

* `expected_failures={"check_…": "why"}` announces what the component does on purpose; it is an error if the check passes.
* `options={…}` gives values for the `options_model` of the record. A field without default must be given, else all checks
  are skipped and say which field it is. `run_checks(RECORD, options={…})` is the same without pytest.
* `sample=…` gives readers, writers and instruments something to work with. Steps have a small run of three exposures by
  default; give `sample=StepSample(…)` if the step is off in it. [All samples](../how-to/test.md), with examples.

It needs hypothesis and pytest: `pip install 'drizframe[testing]'`.

The last column says which trait a record must promise to get the check, and whether the author gives a sample.
"""


def row(check: Check, family: str) -> str:
    """Return a line of a table."""
    needs = [f"trait `{t}`" for t in sorted(check.traits)]
    needs += ["sample"] if check.sampled and family != "step" else []
    return f"| `{check.name}` | {check.summary} | {', '.join(needs)} |"


def page() -> str:
    """Return the page."""
    families = ["", "step", *sorted(set(COMPONENT_HOOKS.values()))]
    parts = [INTRODUCTION]
    for family in families:
        mine = [c for c in all_checks() if (family in c.families if family else not c.families)]
        if mine:
            title = family.capitalize() if family else "Components of every family"
            lines = [row(c, family) for c in mine]
            parts.append(
                "\n".join(
                    [f"\n## {title}\n", "| check | promise | needs |", "| --- | --- | --- |", *lines, ""]
                )
            )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
