"""How early in its training does a masked autoencoder cluster an image's patches?

Areas of patches that share a direction and a strength, under noise so loud (two
deviations of the signal) that k-means of the patches as they are finds a quarter of the
way from chance to the areas. A token that has looked at its like is less noisy.
"""

from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.token_clusters import token_clusters

TOKEN_CLUSTERS = Experiment(
    question="How early in its training does MAE cluster an image's patches?",
    expected={
        "self_guided_masking": "by a tenth of the steps as well as at the end",
        "spatial_correlations": "late: what varies least is learned last",
    },
    datasets=(PlantedAreas,),
    methods=(MAE,),
    # Checkpoints of one run: the schedule is that of the run to the end.
    factors={"stop": (0.0, 0.02, 0.05, 0.1, 1.0)},
    settings={"patch_size": 4, "global_rows": 3, "pixel_noise": 2.0},
    metrics=(token_clusters, convergence),
    drawn=((token_clusters, "tokens"), (token_clusters, "pixels")),
    cost="25 cells, of 5 trainings: about 3 minutes on one core",
)
