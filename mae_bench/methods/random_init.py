"""The floor: the encoder as it was before it learned anything."""

from typing import ClassVar

from mae_bench.methods import ViTMethod
from mae_bench.records.schema import Track


class RandomInit(ViTMethod):
    """The untrained ViT, with the initial weights that the trained methods start from.

    What a probe reads from it is owed to the architecture and to the probe.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "reference"
    trains: ClassVar[bool] = False
