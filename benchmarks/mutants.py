"""Breaks one line at a time, and says what no test notices.

A mutant is a function of ours with one thing changed: a comparison, an operator, a
constant, a truth value, the order of two arguments, a condition, a statement that is
left out. Its twin test file and its doctests are run against it, to the first failure.
Which mutants are tried is drawn by a seed, as many of each file as of the next.

Every one runs in a fork of a process that has imported everything: there the code of
the one function is exchanged in place, whoever holds it. So a file on disk is never
touched, and what a test starts as a process of its own does not see the mutant.

Of those that survive, some are the same program: ``equivalent_mutants.csv`` says which,
and why. They are counted apart; the others are open.

    make mutants
    python benchmarks/mutants.py 240 --seed 1 --only records/store verdicts/rank
"""

from __future__ import annotations

import argparse
import ast
import csv
import gc
import importlib
import io
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

ROOT = Path(__file__).parent.parent
# Losses, masks, metrics, judge, rank, store and records.
TARGETS = (
    "methods/barlow_twins",
    "methods/u_mae",
    "methods/vicreg",
    "metrics/cka",
    "metrics/effective_rank",
    "metrics/linear_r2",
    "metrics/participation_ratio",
    "metrics/uniformity",
    "models/masking",
    "predictions/contrast",
    "predictions/membership",
    "predictions/ordering",
    "predictions/peak",
    "predictions/trend",
    "records/merge",
    "records/read",
    "records/rows",
    "records/stats",
    "records/store",
    "records/strength",
    "verdicts/agreement",
    "verdicts/evidence",
    "verdicts/judge",
    "verdicts/rank",
    "verdicts/roundings",
    "verdicts/weigh",
)
# Processor seconds of a mutant's tests, over those of the sound code.
LIMIT = 30
SURVIVED, UNTRIED, BROKEN = 0, 98, 99
PYTEST = (
    *("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
    "--override-ini=addopts=--doctest-modules --import-mode=importlib",
)

_PAIRS: tuple[tuple[type[ast.cmpop], type[ast.cmpop]], ...] = (
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq)),
    *((ast.In, ast.NotIn), (ast.Is, ast.IsNot)),
)
_COMPARISONS = {old: new for a, b in _PAIRS for old, new in ((a, b), (b, a))}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NOTHING = ("return", "return None")
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "mean": "sum"}
_IN_ANY_ORDER = ("min", "max", "minimum", "maximum", "transpose")
# Types, and what surrounds a function.
_LEFT = ("annotation", "decorator_list", "returns")
Change = Callable[[], None]
# Ours, wherever they are held.
_FUNCTIONS: list[FunctionType] = []


@dataclass(frozen=True)
class Mutant:
    """One change.

    Args:
        target: Room and stem of its file.
        line: Where.
        what: In words.
        at: Which of the file's changes it is.
    """

    target: str
    line: int
    what: str
    at: int


def changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What can be changed at a node, in words and as an act."""
    for kind in _KINDS:
        found = kind(node)
        if found is not None:
            yield found


def _comparison(node: ast.AST) -> tuple[str, Change] | None:
    if not isinstance(node, ast.Compare):
        return None
    old, new = node.ops[0], _COMPARISONS[type(node.ops[0])]()
    return f"{_word(old)} to {_word(new)}", lambda: node.ops.__setitem__(0, new)


def _operator(node: ast.AST) -> tuple[str, Change] | None:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return f"{_word(node.op)} to {_word(other)}", _put(node, "op", other)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        return f"without {_word(node.op)}", _put(node, "op", ast.UAdd())
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        new = _OPERATORS[type(node.op)]()
        return f"{_word(node.op)} to {_word(new)}", _put(node, "op", new)
    return None


def _constant(node: ast.AST) -> tuple[str, Change] | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int | float):
        return None
    known = node.value
    value = not known if isinstance(known, bool) else known + 1
    return f"{known} to {value}", _put(node, "value", value)


def _order(node: ast.AST) -> tuple[str, Change] | None:
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return None
    one, other, *rest = node.args
    called = ast.unparse(node.func).rpartition(".")[2]
    if called in _IN_ANY_ORDER or ast.unparse(one) == ast.unparse(other):
        return None
    if isinstance(one, ast.Starred) or isinstance(other, ast.Starred):
        return None
    return "arguments in another order", _put(node, "args", [other, one, *rest])


def _name(node: ast.AST) -> tuple[str, Change] | None:
    field = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node), "")
    name = getattr(node, field, "")
    new = _NAMES.get(name)
    return (f"{name} to {new}", _put(node, field, new)) if new else None


def _statement(node: ast.AST) -> tuple[str, Change] | None:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        turned = ast.UnaryOp(ast.Not(), node.test)
        return "condition turned", _put(node, "test", turned)
    if isinstance(node, ast.Return) and ast.unparse(node) not in _NOTHING:
        return "returns nothing", _put(node, "value", ast.Constant(None))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "left out", _put(node, "value", ast.Constant(None))
    return None


_KINDS = (_comparison, _operator, _constant, _order, _name, _statement)


def _word(op: ast.AST) -> str:
    return type(op).__name__


def _put(node: ast.AST, name: str, value: object) -> Change:
    return lambda: setattr(node, name, value)


def places(
    node: ast.AST, inside: bool = False
) -> Iterator[tuple[ast.AST, str, Change]]:
    """All changes of a tree, in the order of its text: inside functions alone.

    What is said in an error, an assertion or a docstring, that a zip is strict, which
    asserts as well, and types, are left.
    """
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return
    if inside:
        for what, act in changes(node):
            yield node, what, act
    function = isinstance(node, ast.FunctionDef | ast.Lambda)
    for field, value in ast.iter_fields(node):
        if field in _LEFT or (function and field == "args"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from places(child, inside or function)


def file_of(target: str) -> Path:
    """Of the code."""
    return ROOT / "mae_bench" / f"{target}.py"


def mutants_of(target: str) -> list[Mutant]:
    """All of a file."""
    tree = ast.parse(file_of(target).read_text("utf-8"))
    return [
        Mutant(target, getattr(node, "lineno", 0), what, at)
        for at, (node, what, _) in enumerate(places(tree))
    ]


def line_of(mutant: Mutant) -> str:
    """Its text."""
    lines = file_of(mutant.target).read_text("utf-8").splitlines()
    return lines[mutant.line - 1].strip()


def equivalent() -> dict[tuple[str, str, str], str]:
    """File, line and change of what is the same program, with the reason."""
    path = Path(__file__).with_name("equivalent_mutants.csv")
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return {(of, line, what): why for of, line, what, why in rows}


def broken(mutant: Mutant) -> list[CodeType]:
    """The code of the functions of a file that its change makes others."""
    path = file_of(mutant.target)
    sound, tree = (ast.parse(path.read_text("utf-8")) for _ in range(2))
    *_, change = [*places(tree)][mutant.at]
    change()
    before, after = ([*functions(_compiled(t, path))] for t in (sound, tree))
    return [code for code in after if code not in before]


def _compiled(tree: ast.Module, path: Path) -> CodeType:
    whole = ast.fix_missing_locations(tree)
    return compile(whole, str(path), "exec", dont_inherit=True)


def functions(code: CodeType) -> Iterator[CodeType]:
    """The code of every function in a code, however deep."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from functions(constant)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def exchange(codes: list[CodeType]) -> int:
    """Give every function the code that is at its place now; says how many took it."""
    new = {_place(code): code for code in codes}
    count = 0
    for function in _FUNCTIONS:
        old = function.__code__
        found = new.get(_place(old))
        if found is not None and found.co_freevars == old.co_freevars:
            function.__code__ = found
            count += 1
    return count


def forked(act: Callable[[], int]) -> tuple[int, float]:
    """Exit code, or minus a signal, of a child that does it; and its CPU seconds."""
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            code = act()
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def tested(target: str, mutant: Mutant | None, seconds: float) -> int:
    """Pytest's exit code of a file's twin and doctests, in this process."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    if mutant is not None and not exchange(broken(mutant)):
        return UNTRIED
    room, _, stem = target.rpartition("/")
    files = [f"tests/{room}/test_{stem}.py", f"mae_bench/{target}.py"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main([*PYTEST, *files]))


def load() -> None:
    """Import what tests import, with shapes and types checked, as they have it."""
    from jaxtyping import install_import_hook

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in ("pytest", "torch", "lightning", "pandas", "scipy.stats", "sklearn"):
        importlib.import_module(name)
    with install_import_hook("mae_bench", "beartype.beartype"):
        for path in sorted((ROOT / "mae_bench").rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
    house = str(ROOT / "mae_bench")
    # An instance of a lazy class would answer to isinstance with a warning.
    every = [f for f in gc.get_objects() if type(f) is FunctionType]
    _FUNCTIONS.extend(f for f in every if f.__code__.co_filename.startswith(house))
    gc.freeze()  # a collection in a fork would copy all that it shares


def drawn(targets: list[str], n: int, seed: int) -> list[Mutant]:
    """As many of each file as there are, or as its share is; by a seed."""
    chance, found = random.Random(seed), []
    for left, target in zip(range(len(targets), 0, -1), targets, strict=True):
        every = mutants_of(target)
        share = round((n - len(found)) / left)
        found += sorted(
            chance.sample(every, min(share, len(every))), key=lambda m: m.at
        )
    return found


def table(counts: dict[str, list[int]]) -> str:
    """Of every file, and of all: tried, survived, of which equivalent, open."""
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    lines = [
        "| file | mutants | survived | equivalent | open |",
        "|---|---|---|---|---|",
    ]
    for name, (tried, survived, same) in {**counts, "all": total}.items():
        lines.append(f"| {name} | {tried} | {survived} | {same} | {survived - same} |")
    return "\n".join(lines)


def main() -> int:
    """Try them; prints a line a survivor and a table."""
    parser = argparse.ArgumentParser(description="Break one line at a time.")
    parser.add_argument("n", nargs="?", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[*TARGETS])
    wish = parser.parse_args()
    load()
    counts: dict[str, list[int]] = {}
    same = equivalent()
    base: dict[str, float] = {}
    for mutant in drawn(wish.only, wish.n, wish.seed):
        target = mutant.target
        if target not in base:
            code, base[target] = forked(lambda t=target: tested(t, None, 300))  # type: ignore[misc]
            if code:
                sys.stderr.write(f"{target}: its tests fail as it is ({code})\n")
                return 2
        limit = base[target] + LIMIT
        code, _ = forked(lambda m=mutant, s=limit: tested(m.target, m, s))  # type: ignore[misc]
        if code == UNTRIED:  # nobody holds the function, or its closure has changed
            continue
        assert code in (0, 1, 2) or code < 0, f"{mutant}: {code}"
        text = line_of(mutant)
        reason = same.get((target, text, mutant.what), "")
        row = counts.setdefault(target, [0, 0, 0])
        survived = code == SURVIVED
        for at, counted in enumerate((True, survived, survived and bool(reason))):
            row[at] += counted
        sys.stderr.write(f"{target}.py:{mutant.line} {mutant.what}: {code}\n")
        if survived:
            sys.stdout.write(f"{target}.py:{mutant.line}: {mutant.what}: {text}")
            sys.stdout.write(f" (equivalent: {reason})\n" if reason else "\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{table(counts)}\n")
    tried, left, known = (sum(column) for column in zip(*counts.values(), strict=True))
    return int(left - known > tried / 20)


if __name__ == "__main__":
    sys.exit(main())
