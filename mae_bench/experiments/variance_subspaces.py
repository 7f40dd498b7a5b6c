"""Is the class in the directions of most variance, or in those of least?"""

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics.subspace_accuracy import subspace_accuracy

VARIANCE_SUBSPACES = Experiment(
    question="Is the class in the directions of most variance, or of least?",
    expected={"spatial_correlations": "the last 20 % tell more than the first 90 %"},
    datasets=(Digits, GaussianTree),
    methods=(Pixels,),
    metrics=(subspace_accuracy,),
    drawn=((subspace_accuracy, "top"), (subspace_accuracy, "bottom")),
    cost="10 cells without training: about 20 seconds on two cores",
)
