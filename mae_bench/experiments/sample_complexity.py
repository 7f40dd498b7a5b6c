"""How many strings does it take to find the latents of a hierarchy, without a network?

A clustering of tuples by their contexts is all that learns; of a cell the grammar alone
is used. Eight symbols, and far fewer productions than all: where m = v³ of four
children (of two, m = v) every string is as likely, and nothing could be learned.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.oracle_latents import OracleLatents
from mae_bench.metrics.sample_complexity import sample_complexity

PRODUCTIONS = (4, 6, 8, 12)
DEPTHS = (2, 3, 4)
# Of four levels tokens need m⁵ strings of 256 leaves.
DEEPEST = (4,)


def rules_of(m: int, depth: int) -> str:
    """The setting of a world of m productions a symbol on every level.

    >>> rules_of(4, 2)
    'random:4,random:4'
    """
    return ",".join([f"random:{m}"] * depth)


SAMPLE_COMPLEXITY = Experiment(
    question="How many strings does it take to find a hierarchy's latents?",
    expected={
        "latent_prediction": "m³ on every level from recovered latents; from "
        "tokens one power more a level"
    },
    datasets=(RandomHierarchy,),
    methods=(OracleLatents,),
    factors={
        "rules": tuple(
            rules_of(m, depth)
            for depth in DEPTHS
            for m in (DEEPEST if depth == max(DEPTHS) else PRODUCTIONS)
        )
    },
    settings={"symbols": 8, "leaf_size": 3},
    metrics=(sample_complexity,),
    cost="45 cells without training: about 3 minutes on two cores",
)
