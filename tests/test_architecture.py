"""Imports point down, files are short, and the house has the rooms that it promises."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "mae_bench"
FILES = sorted(HOUSE.rglob("*.py"))

# The floor of each room; a room's __init__ holds its contract and stands a little
# lower than its parts, unless they have floors of their own. Verbs stand above what
# they read.
FLOORS: dict[str, float] = {
    "__init__": 0,
    "schema": 1,
    "haar": 1,
    "optimiser": 1,
    "stats": 1,
    "decode": 2,
    "options": 1,
    "console": 2,
    "progress": 1,
    "registry": 2,
    "store": 2,
    "launch": 2,
    "provenance": 3,
    "rows": 3,
    "datasets": 4,
    "models": 4,
    "oracles": 5,
    "methods": 6,
    "predictions": 6,
    "metrics": 7,
    "train": 8,
    "readers": 8,
    "score": 9,
    "rank": 8,
    "experiments": 9,
    "describe": 10,
    "claims": 9.7,
    "theories": 10,
    "limits": 10,
    "exact": 10,
    "scorecard": 10,
    "plan": 10,
    "measure": 11,
    "evidence": 11,
    "forecast": 12,
    "judge": 13,
    "plot": 11,
    "encoders": 12,
    "encoders.layouts": 12.1,
    "encoders.weights": 12.2,
    "encoders.checkpoint": 12.3,
    "encoders.outsider": 12.4,
    "pages": 12,
    "pages.page": 12.1,
    "pages.tables": 12.2,
    "pages.report": 12.3,
    "commits": 13,
    "commits.changes": 13.1,
    "commits.child": 13.1,
    "commits.errors": 13.1,
    "commits.host": 13.1,
    "commits.worktree": 13.1,
    "commits.asv_feed": 13.2,
    "commits.sides": 13.2,
    "commits.timings": 13.25,
    "commits.compare": 13.3,
    "ensemble": 7,
    "parallel": 8.5,
    "stacked": 8.5,
    "commands": 14,
    "cli": 15,
}
# A variant may build on its plain case, in the same room.
VARIANTS = {
    ("experiments.bottleneck", "experiments.located_masks"),
    ("experiments.mask_unit_by_patch_size", "experiments.recoverability"),
    ("methods.u_mae", "methods.mae"),
    ("methods.autoencoder", "methods.mae"),
    ("methods.m_mae", "methods.mae"),
    ("methods.cross_mae", "methods.mae"),
    ("methods.r2_mae", "methods.mae"),
    ("methods.byol", "methods.simsiam"),
    ("methods.moco_v3", "methods.byol"),
    ("methods.data2vec", "methods.i_jepa"),
    ("models.standardised_projector", "models.projector"),
    ("methods.mask_contrastive", "methods.spectral_contrastive"),
    ("methods.denoising", "methods.autoencoder"),
    ("models.decoder", "models.vit"),
    ("models.projector", "models.vit"),
    ("metrics.layer_similarity", "metrics.cka"),
    ("metrics.occlusion_invariance", "metrics.alignment"),
    ("metrics.occlusion_invariance", "metrics.cka"),
    ("metrics.linear_probe", "metrics.linear_r2"),
    ("metrics.level_accuracy", "metrics.linear_r2"),
    ("metrics.ceiling_ratio", "metrics.linear_r2"),
    ("metrics.ceiling_ratio", "metrics.level_accuracy"),
    ("metrics.subspace_accuracy", "metrics.linear_probe"),
    ("metrics.expectation_probe", "metrics.linear_probe"),
    ("metrics.located_r2", "metrics.linear_r2"),
    ("metrics.located_r2", "metrics.block_r2"),
    ("metrics.located_r2", "metrics.partial_r2"),
    ("metrics.partial_r2", "metrics.linear_r2"),
    ("metrics.partial_r2", "metrics.block_r2"),
    ("metrics.block_r2", "metrics.linear_r2"),
    ("metrics.participation_ratio", "metrics.effective_rank"),
    ("oracles.forecasting", "oracles.ceilings"),
    ("oracles.forecasting", "oracles.gaussian_conditioning"),
    ("oracles.forecasting", "oracles.located_latents"),
    ("oracles.ceilings", "oracles.belief_propagation"),
    ("oracles.ceilings", "oracles.gaussian_conditioning"),
    ("datasets.hub", "datasets.image_folder"),
    ("datasets.surrogate_digits", "datasets.digits"),
}
BANNED = {"utils", "util", "common", "helpers", "core", "misc"}


def name_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts) if parts[-1] != "__init__" else ".".join(parts[:-1])


def imports_of(path: Path) -> Iterator[str]:
    """The modules of the house that a file imports, types included."""
    modules = {name_of(p) for p in FILES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [m if m[10:] in modules else node.module for m in inside]
        else:
            continue
        yield from {m[10:] for m in found if m.startswith("mae_bench.")}


def floor_of(module: str) -> float:
    if module in FLOORS:
        return FLOORS[module]
    room, _, part = (module or "__init__").partition(".")
    return FLOORS[room] + (0.5 if part else 0.0)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    me = name_of(path)
    for other in imports_of(path):
        if (me, other) not in VARIANTS:
            assert floor_of(other) < floor_of(me), f"{me} imports {other}"


def test_the_variants_are_used() -> None:
    real = {(name_of(p), other) for p in FILES for other in imports_of(p)}
    assert real >= VARIANTS


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_short_and_begin_with_their_sentence(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert first.endswith((".", "?", "::"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_no_room_is_a_drawer() -> None:
    assert not BANNED & {p.stem for p in HOUSE.rglob("*")}


def test_every_file_has_its_twin_in_tests() -> None:
    tests = Path(__file__).parent
    for path in FILES:
        relative = path.relative_to(HOUSE)
        if path.stem != "__init__":
            twin = tests / relative.parent / f"test_{path.name}"
            assert twin.exists(), f"{relative} has no {twin.relative_to(tests)}"


@pytest.mark.parametrize("path", sorted((HOUSE / "theories").glob("*.py")), ids=name_of)
def test_theories_know_no_verb_and_no_torch(path: Path) -> None:
    tree = ast.walk(ast.parse(path.read_text()))
    named = {n.module for n in tree if isinstance(n, ast.ImportFrom)}
    verbs = ("train", "score", "measure", "judge", "rank", "plot", "launch")
    assert not named & {f"mae_bench.{verb}" for verb in verbs}
    assert not any((m or "").startswith("torch") for m in named)


def test_torchvision_is_neither_imported_nor_installed_with_us() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "torchvision" not in ast.unparse(node), path
    for name in ("pyproject.toml", "constraints.txt"):
        assert "torchvision" not in (HOUSE.parent / name).read_text()
