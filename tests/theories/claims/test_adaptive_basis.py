"""Each claim of networks is supported by the picture it draws, and by no other."""

from collections.abc import Callable, Mapping

import pytest

from mae_bench.records.schema import Cell
from mae_bench.theories.claims.adaptive_basis import ADAPTIVE_BASIS

PREDICTIONS = ADAPTIVE_BASIS
NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)
# (metric, token, target) -> value
Found = Mapping[tuple[str, str, str], float]


@pytest.fixture
def quick(judged) -> Callable[[str, Callable[[Cell], Found]], str]:
    """Verdict if each cell of tier quick has the values."""
    return lambda number, values: judged(
        PREDICTIONS, number, lambda cell, _: values(cell), tier="quick"
    )


def at(
    number: str, levels: tuple[float, ...], leaf: float = 0.5
) -> Callable[[Cell], Found]:
    """The prediction's metric by the level of its form's factor."""
    prediction = PREDICTIONS[number]
    factor = vars(prediction.form)["factor"]
    known = vars(prediction.form).get("levels") or prediction.where.get(factor)
    known = known or prediction.experiment.factors[factor]
    curve = dict(zip(known, levels, strict=True))
    label = (
        prediction.metric.id,
        str(prediction.where.get("token", "")),
        str(prediction.where.get("target", "")),
    )

    def values(cell: Cell) -> Found:
        settings = {**cell.dataset_settings, **cell.method_settings}
        level = settings.get(factor, cell.method)
        other = (label[0], label[1], "level_2")
        return {other: leaf, label: curve.get(level, 0.0)}

    return values


@pytest.mark.parametrize(
    ("number", "levels", "verdict"),
    [
        ("B4-network", (1.0, 1.2, 1.4, 1.6, 1.8), "supported"),
        ("B4-network", (1.0, 1.01, 1.02, 1.03, 1.04), "refuted"),
        ("B4-order", (1.0, 1.5, 2.0), "supported"),
        ("B4-order", (1.0, 1.0, 2.0), "refuted"),
        ("B9", (1.0, 1.2, 1.4, 1.6, 1.8), "supported"),
        ("B9", (1.8, 1.6, 1.4, 1.2, 1.0), "refuted"),
        ("B10-encoder", (0.7, 0.75, 0.8), "supported"),
        ("B10-encoder", (0.7, 0.7, 0.7), "refuted"),
        ("B10-decoder", (0.90, 0.94, 0.94, 0.91), "supported"),
        ("B10-decoder", (0.90, 0.92, 0.94, 0.96), "refuted"),
        ("B10-decoder", (0.90, 0.90, 0.90, 0.90), "refuted"),
        ("B11-ratio", (0.4, 0.5, 0.6), "supported"),
        ("B11-ratio", (0.6, 0.5, 0.4), "refuted"),
    ],
)
def test_a_curve_gets_its_verdict(
    number: str, levels: tuple[float, ...], verdict: str, quick
) -> None:
    assert quick(number, at(number, levels)) == verdict


@pytest.mark.parametrize(
    ("mae", "denoising", "leaf_gain", "gain", "hardly"),
    [
        (0.7, 0.5, 0.0, "supported", "supported"),
        (0.5, 0.5, 0.0, "refuted", "void"),
        (0.7, 0.5, 0.2, "void", "supported"),
        (0.7, 0.62, 0.0, "supported", "refuted"),
    ],
)
def test_masks_must_keep_the_root_and_noise_change_little(
    mae: float, denoising: float, leaf_gain: float, gain: str, hardly: str, quick
) -> None:
    root = {"mae": mae, "denoising": denoising, "autoencoder": 0.49}

    def values(cell: Cell) -> Found:
        leaf = 0.8 + (leaf_gain if cell.method == "mae" else 0.0)
        return {
            ("linear_r2", "mean", "level_0"): root[cell.method]
            + 3 * NOISE[cell.seed] * (cell.method == "mae"),
            ("linear_r2", "mean", "level_2"): leaf,
        }

    assert quick("B7", values) == gain
    assert quick("B7-noise", values) == hardly


@pytest.mark.parametrize(
    ("digits", "surrogate", "verdict"),
    [(0.3, 0.0, "supported"), (0.0, 0.0, "refuted"), (0.3, 0.3, "void")],
)
@pytest.mark.parametrize("number", ["B8", "B8-basis"])
def test_digits_must_give_what_their_gaussian_surrogate_cannot(
    number: str, digits: float, surrogate: float, verdict: str, quick
) -> None:
    prediction = PREDICTIONS[number]
    label = (prediction.metric.id, "", str(prediction.where["target"]))

    def values(cell: Cell) -> Found:
        return {label: digits if cell.dataset == "digits" else surrogate}

    assert quick(number, values) == verdict


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        ((0.5, 0.7, 0.6, 0.4, 0.8), "supported"),
        ((0.4, 0.5, 0.6, 0.7, 0.8), "refuted"),
        ((0.8, 0.7, 0.6, 0.5, 0.4), "refuted"),
    ],
)
def test_the_error_must_not_tell_the_probe(
    probe: tuple[float, ...], verdict: str, quick
) -> None:
    depths = PREDICTIONS["B10-loss"].experiment.factors["decoder_depth"]

    def values(cell: Cell) -> Found:
        place = depths.index(cell.method_settings["decoder_depth"])
        error = 1 - 0.1 * place
        return {
            ("reconstruction_error", "", "masked"): error,
            ("reconstruction_error", "", "ratio_to_bayes"): 2 * error,
            ("linear_probe", "mean", ""): probe[place],
        }

    assert quick("B10-loss", values) == verdict


@pytest.mark.parametrize(
    ("small", "large", "verdict"),
    [(0.7, 0.5, "supported"), (0.5, 0.5, "refuted"), (0.5, 0.7, "refuted")],
)
def test_small_patches_must_keep_the_root_at_the_highest_ratio(
    small: float, large: float, verdict: str, quick
) -> None:
    def values(cell: Cell) -> Found:
        settings = cell.method_settings
        value = small if settings["patch_size"] == 2 else large
        root = value if settings["mask_ratio"] == 0.75 else 0.6
        return {
            ("linear_r2", "mean", "level_0"): root,
            ("linear_r2", "mean", "level_2"): 0.6,
        }

    assert quick("B11-patch", values) == verdict
