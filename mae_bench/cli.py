"""The command line: one command a verb.

Exit codes: 0 everything is measured; 1 some cells failed, the disk did, ``compare``
found something worse, ``verify`` what differs, or ``register --check`` what is not
registered; 2 bad usage, and nothing was written, or a comparison that cannot be made;
130 stopped by Ctrl-C; 141 nobody read on, as in ``| head``.
"""

from __future__ import annotations

import gc

import typer

from mae_bench.commands import (
    compare,
    entry,
    evaluate,
    history,
    log,
    merge,
    new,
    parts,
    pipeline,
    register,
    site,
    tune,
    verify,
)
from mae_bench.commands.console import heard

GROUPS = {
    "Run it": (pipeline.run, pipeline.measure, merge.merge, log.log),
    "Judge and show": (
        pipeline.judge,
        pipeline.rank,
        pipeline.plot,
        site.site,
        tune.tune,
        register.register,
        verify.verify,
    ),
    "Encoders": (evaluate.evaluate,),
    "Over commits": (compare.compare, history.history),
    "Parts": (parts.list_parts, parts.info, new.new, parts.doctor),
}
app = typer.Typer(
    cls=entry.Verbs,
    epilog="Defaults: mae_bench.toml, [tool.mae_bench] of pyproject.toml, or "
    "MAE_BENCH_TIER and its like. Exit codes: 0 ok; 1 some cells failed, the disk did, "
    "compare found worse, verify what differs, or register --check what is not "
    "registered; 2 bad usage, or a comparison that cannot be made.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(entry.entry)
for group, verbs in GROUPS.items():
    for verb in verbs:
        name = verb.__name__.removesuffix("_parts")
        app.command(name, rich_help_panel=group)(heard(verb))


# Objects that are made between two searches for garbage. Imports make 440,000, and all
# of them stay: by Python's 700 a fifth of the imports' time goes into such searches.
UNSEARCHED = 20_000


def main() -> None:
    """Entry point of ``mae-bench``."""
    gc.set_threshold(UNSEARCHED)
    app(prog_name="mae-bench")


if __name__ == "__main__":
    main()
