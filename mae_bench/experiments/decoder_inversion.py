"""Is the alignment bound looser where the decoder can say less?

Two of four leaves are masked. A narrow decoder cannot be made to say every target,
whatever tokens it is given; an untrained one neither, but it has learnt no loss.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.alignment_bound import alignment_bound

DECODER_INVERSION = Experiment(
    question="Is the alignment bound looser where the decoder can say less?",
    expected={"mask_graph_alignment": "the gap grows with eps"},
    datasets=(RandomHierarchy,),
    methods=(MAE,),
    factors={
        "decoder_depth": (1, 2),
        "decoder_embed_dim": (4, 8, 32),
        "stop": (0.0, 1.0),
    },
    settings={
        "symbols": 4,
        "rules": "random:8",
        "noise": 0.05,
        "mask_ratio": 0.5,
        "decoder_num_heads": 2,  # divides every width
    },
    budgets={"quick": {"steps": 500}},
    metrics=(alignment_bound,),
    drawn=((alignment_bound, "eps"), (alignment_bound, "gap")),
    cost="60 cells, 30 of them trained for 500 steps: about 2 minutes on two cores",
)
