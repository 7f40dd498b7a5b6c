"""Is the class linear in the predicted half, and how much does a shared nuisance cost?

The mask is fixed: the right half is x1, the left half x2. The exact E[x2 | x1] is there
beside the trained one, so cells without training (``stop`` 0) suffice where the
nuisance lies beside the class means.
"""

from mae_bench.datasets.conditional_halves import ConditionalHalves
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.expectation_probe import expectation_probe

SHARED_NUISANCE = Experiment(
    question="How well does a linear map of the predicted half tell the class?",
    expected={
        "conditional_independence": "as well as Bayes at strength 0, worse with it",
    },
    datasets=(ConditionalHalves,),
    methods=(MAE,),
    factors={
        "strength": (0.0, 1.0, 2.0),
        "overlap": (True, False),
        "stop": (0.0, 1.0),
    },
    without=({"overlap": False, "stop": 1.0},),
    settings={"mask_family": "left"},
    # Of what was tried, the lowest training loss at strength 0.
    budgets={"quick": {"steps": 2000, "lr": 0.004}},
    metrics=(expectation_probe,),
    drawn=(
        (expectation_probe, "prediction"),
        (expectation_probe, "exact"),
        (expectation_probe, "bayes"),
    ),
    cost="45 cells, 15 of them trained: about 2 minutes on two cores",
)
