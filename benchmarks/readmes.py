"""The READMEs, of their templates and the results.

``make readmes`` fills every ``README.md.j2`` with numbers of the CSVs
and writes the ``README.md`` beside it.
"""

from __future__ import annotations

from pathlib import Path

from mae_bench.pages.prose import fill
from mae_bench.records.store import write_atomically

RESULTS = Path("results")
TEMPLATES = (Path("README.md.j2"), RESULTS / "README.md.j2")


def main() -> None:
    """Write them."""
    for template in TEMPLATES:
        text = fill(template.read_text(encoding="utf-8"), RESULTS)
        write_atomically(template.with_suffix(""), text.encode())


if __name__ == "__main__":
    main()
