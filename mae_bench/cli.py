"""The command line: one command a verb.

Exit codes: 0 everything is measured; 1 some cells failed, the disk did, ``compare``
found something worse, or ``register --check`` what is not registered; 2 bad usage, and
nothing was written, or a comparison that cannot be made; 130 stopped by Ctrl-C; 141
nobody read on, as in ``| head``.
"""

from __future__ import annotations

import typer

from mae_bench.commands import (
    compare,
    evaluate,
    history,
    new,
    parts,
    pipeline,
    register,
    site,
    tune,
)

app = typer.Typer(
    help="Put theories of masked autoencoders to the test.",
    epilog="Exit codes: 0 ok; 1 some cells failed, the disk did, compare found "
    "worse, or register --check what is not registered; 2 bad usage, or a comparison "
    "that cannot be made.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (
    pipeline.run,
    pipeline.measure,
    pipeline.judge,
    pipeline.rank,
    pipeline.plot,
    tune.tune,
    evaluate.evaluate,
    register.register,
    compare.compare,
    history.history,
    site.site,
    new.new,
    parts.info,
    parts.doctor,
):
    app.command()(verb)
app.command(name="list")(parts.list_parts)


def main() -> None:
    """Entry point of ``mae-bench``."""
    app()


if __name__ == "__main__":
    main()
