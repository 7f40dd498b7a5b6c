"""What one cell printed, for who wants to know why it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import StorePath

CELL = "Key of a cell, or its beginning: [KEY] in what a run says, column cell."


@errors_in_one_line
def log(
    cell: Annotated[str, typer.Argument(help=CELL)], store: StorePath = Path(".store")
) -> None:
    """Show what one cell printed, where and when it ran, and how it ended."""
    from mae_bench.runs import logs

    path = logs.find(store, cell)
    say(path.read_text(encoding="utf-8", errors="replace").rstrip())
    tell(f"read {path}")
