import math
from collections.abc import Iterator

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mae_bench.pages.conflicts import SAID, conflicts
from mae_bench.records import registry

ANY = {"form": "contrast", "phase": "pilot", "margin": 0.1, "standing": "derived"}
FOUND = {"estimate": 0.3, "ci_low": 0.2, "ci_high": 0.4, "verdict": "supported"}
NONE = dict.fromkeys(FOUND, math.nan) | {"verdict": "not_measured"}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def judged(**each: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"prediction": name} | ANY | found for name, found in each.items()]
    )


def test_it_speaks_of_claims_that_there_are_and_of_several_theories() -> None:
    theories = registry.load_all("theories")
    for variable, said in SAID.items():
        assert len({key.split("/")[0] for key in said}) > 1, variable
        for key, words in said.items():
            theory, number = key.split("/")
            assert number in theories[theory].predictions
            assert len(words) <= 36


def test_every_variable_has_its_claims_with_what_they_say() -> None:
    noise = {"spatial_correlations/R3": FOUND, "aligned_augmentations/JR-D2": NONE}
    loss = {"lejepa/LL1": FOUND | {"verdict": "refuted", "estimate": -0.3}}
    figure = conflicts(judged(**noise, **loss, **{"mask_graph_alignment/Z2": FOUND}))
    told = {
        ax.get_title(loc="left"): [text.get_text() for text in ax.texts]
        for ax in figure.axes
    }
    assert told == {
        "additive noise": ["turns no linear code", "turns it, where aligned"],
        "the loss as a proxy": ["it ranks trainings"],
    }
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0].startswith("spatial_correlations/R3")
    # What is not measured has its place, and no dot.
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert {*(float(line.get_ydata()[0]) for line in dots)} == {0.0}
    assert len({ax.get_xlim() for ax in figure.axes}) == 1


def test_without_any_of_them_it_says_so() -> None:
    (text,) = conflicts(judged(**{"mask_graph_alignment/Z2": FOUND})).texts
    assert "no theories that disagree" in text.get_text()
