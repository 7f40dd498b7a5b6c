"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.claims.mask_spectrum import MASK_SPECTRUM

PREDICTIONS = MASK_SPECTRUM
NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)
# (metric, target, factors, seed) -> value
Value = Callable[[str, str, Settings, int], float]
GRAPH = ("tail", "labelling_error", "forecast", "sharing")
TARGETS = {
    "mask_connectivity": GRAPH,
    "linear_probe": ("",),
    "spectral_descent": ("angle", "angle_start"),
}


@pytest.fixture
def valued(judged) -> Callable[[str, Value], str]:
    """Verdict if every target of every metric is as given."""

    def verdict(number: str, value: Value) -> str:
        known = PREDICTIONS[number].experiment.metrics

        def measured(cell: Cell, factors: Settings) -> dict[tuple[str, ...], float]:
            return {
                (m.id, "mean" if m.id == "linear_probe" else "", target): value(
                    m.id, target, factors, cell.seed
                )
                for m in known
                for target in TARGETS[m.id]
            }

        return judged(PREDICTIONS, number, measured, noise=0.0)

    return verdict


def graph(target: str, ratio: float) -> float:
    """Tails that peak at a half, a labelling error that grows."""
    tail, alpha = ratio * (1 - ratio), ratio
    sharing = 1 - ratio
    return {
        "tail": tail,
        "labelling_error": alpha,
        "forecast": -tail - alpha,
        "sharing": sharing,
    }[target]


def world(probe: Callable[[float], float]) -> Value:
    def value(metric: str, target: str, factors: Settings, seed: int) -> float:
        ratio = float(factors["mask_ratio"] or 0)
        if metric == "mask_connectivity":
            return graph(target, ratio)
        return probe(ratio) if factors["stop"] == 1.0 else 0.4 + NOISE[seed]

    return value


@pytest.mark.parametrize(
    ("number", "probe", "verdict"),
    [
        ("Z8", lambda r: graph("forecast", r), "supported"),
        ("Z8", lambda r: -graph("forecast", r), "refuted"),
        ("Z8-tail", lambda r: (r - 0.5) ** 2, "supported"),
        ("Z8-tail", lambda r: r * (1 - r), "refuted"),
        ("Z8-alpha", lambda r: 1 - r, "supported"),
        ("Z8-alpha", lambda r: r, "refuted"),
    ],
)
def test_the_probe_must_follow_the_graph_over_mask_ratios(
    number: str, probe: Callable[[float], float], verdict: str, valued
) -> None:
    assert valued(number, world(probe)) == verdict


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("Z8-tail-falls", "refuted"),
        ("Z8-sharing", "refuted"),
        ("Z8-alpha-rises", "supported"),
        ("Z8-complement", "supported"),
    ],
)
def test_exact_graphs_decide_the_words_on_the_mask_ratio(
    number: str, verdict: str, valued
) -> None:
    assert valued(number, world(lambda _: 0.5)) == verdict


def test_a_tail_that_falls_is_what_the_paper_says_and_no_complement(valued) -> None:
    def falling(_: str, target: str, factors: Settings, seed: int) -> float:
        ratio = float(factors["mask_ratio"] or 0)
        noise = 1e-4 * NOISE[seed]
        return noise + {"tail": 3 - 3 * ratio, "sharing": ratio}.get(target, ratio)

    assert valued("Z8-tail-falls", falling) == "supported"
    assert valued("Z8-sharing", falling) == "supported"
    assert valued("Z8-complement", falling) == "refuted"


@pytest.mark.parametrize(
    ("angle", "start", "verdict"),
    [(0.0, 1.2, "supported"), (0.3, 1.2, "refuted"), (0.0, 0.0, "void")],
)
def test_a_free_encoder_must_end_at_the_eigenvectors_and_not_begin_there(
    angle: float, start: float, verdict: str, valued
) -> None:
    def value(_: str, target: str, factors: Settings, seed: int) -> float:
        # One width of one weight that fails is enough.
        hit = factors == {"bottleneck": 4, "lamb": 1.0}
        reached = angle if hit else 0.0
        return (start if target == "angle_start" else reached) + abs(NOISE[seed])

    assert valued("Z11", value) == verdict
