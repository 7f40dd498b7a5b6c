"""When does zeroing covariates at random help a regression, and how many of them?

n = 100 samples, and 35, 399 or 1023 covariates: one under-parameterised model and two
over-parameterised ones. White covariates and covariates with a strong direction that
carries the signal. Each cell averages 50 fits.
"""

from mae_bench.datasets.spiked_field import SpikedField
from mae_bench.experiments import Experiment
from mae_bench.methods.ridgeless import Ridgeless
from mae_bench.metrics.masked_risk import masked_risk

MASKED_REGRESSION = Experiment(
    question="Does masking help a regression, and more so the larger it is?",
    expected={
        "over_parameterisation": "risk rises with the mask ratio where there are fewer "
        "covariates than samples; with many more and a spike it falls first"
    },
    datasets=(SpikedField,),
    methods=(Ridgeless,),
    factors={
        "image_size": (6, 20, 32),
        "spike": (0.0, 20.0),
        "mask_ratio": (0.0, 0.15, 0.3, 0.45, 0.6),
    },
    without=({"image_size": 20, "spike": 0.0},),
    settings={"samples": 100, "fits": 50},
    metrics=(masked_risk,),
    cost="125 cells without training: about 4 minutes on two cores",
    drawn=((masked_risk, "risk"),),
)
