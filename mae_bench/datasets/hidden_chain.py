"""A chain of three hidden states, seen in raster order as symbols or through noise.

The first state is uniform; the next follows a doubly stochastic T, so that all are
uniform. A token is what a state emits: a symbol, as a one-hot vector over the channels,
drawn from the state's row of O; or the state's mean, a column of channels, in noise of
unit variance.

References:
    Liu et al. 2022, arXiv 2202.09305: masked prediction of hidden Markov models.
"""

import math
from collections.abc import Mapping
from itertools import permutations
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import orthonormal

STATES = 3
EMISSIONS = ("symbols", "gaussian")
# How often a state stays, or shows its own symbol, before what chance adds.
OWN = 0.6


def doubly_stochastic(weights: Float[Tensor, " 6"]) -> Float[Tensor, "3 3"]:
    """The mixture of the six permutations of three states (Birkhoff).

    >>> doubly_stochastic(torch.tensor([0.75, 0.0, 0.0, 0.25, 0.0, 0.0])).tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.75, 0.25], [0.25, 0.0, 0.75]]
    """
    eye = torch.eye(STATES, dtype=weights.dtype, device=weights.device)
    turns = torch.stack([eye[list(p)] for p in permutations(range(STATES))])
    return torch.einsum("p,pab->ab", weights, turns)


class HiddenChain(Generated):
    """Images whose channels are what hidden states emit; the class is the first state.

    ``level_0`` holds the states of all tokens, one-hot.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 3,
        emissions: str = "symbols",
        spread: float = 2.0,
        **settings: Any,
    ) -> None:
        """Draw T, and O or the means.

        Args:
            generator: Draws them.
            image_size: h = w, in 2..16 tokens.
            emissions: ``symbols`` or ``gaussian``.
            spread: Length of the means, which are at right angles, in deviations of
                the noise; above 0.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 16:
            raise ValueError(f"image_size is {image_size}; choose in 2..16")
        if emissions not in EMISSIONS:
            raise ValueError(f"emissions is {emissions!r}; choose one of {EMISSIONS}")
        if not 0 < spread < math.inf:
            raise ValueError(f"spread is {spread}; choose a number above 0")
        self.channels = STATES
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = STATES
        self.emissions = emissions
        chance = torch.randn(6, generator=generator, dtype=torch.float64).softmax(0)
        own = torch.eye(6, dtype=torch.float64)[0]
        self.transition = doubly_stochastic(OWN * own + (1 - OWN) * chance)
        if emissions == "symbols":
            rows = torch.randn(STATES, STATES, generator=generator, dtype=torch.float64)
            own = torch.eye(STATES, dtype=torch.float64)
            self.emission = OWN * own + (1 - OWN) * rows.softmax(1)
        else:
            self.emission = spread * orthonormal(1, STATES, STATES, generator)[0]
        self._law = [self.transition.cumsum(1), self.emission.clone()]
        self._law = [law.float() for law in self._law]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their states."""
        device, side = generator.device, self.image_size
        tokens = side**2
        # There from now on: a step that copies from the host would wait for it.
        self._law = [law.to(device) for law in self._law]
        steps, emission = self._law
        uniform = torch.rand(n, tokens, generator=generator, device=device)
        state = (uniform[:, 0] * STATES).long().clamp(max=STATES - 1)
        states = [state]
        for t in range(1, tokens):
            state = (uniform[:, t, None] > steps[state, :-1]).sum(1)
            states.append(state)
        hidden = torch.stack(states, 1)
        noise = torch.randn(n, tokens, STATES, generator=generator, device=device)
        shown = emission[hidden]
        if self.emissions == "symbols":
            # The largest of log p + Gumbel noise is a draw from p.
            again = torch.rand(shown.shape, generator=generator, device=device)
            gumbel = -(-again.clamp_min(1e-30).log()).log()
            shown = one_hot((shown.log() + gumbel).argmax(2), STATES).float()
        else:
            shown = shown + noise
        images = shown.transpose(1, 2).reshape(n, STATES, side, side)
        z = one_hot(hidden, STATES).flatten(1).float()
        return Batch(images, {"level_0": z}, hidden[:, 0])

    def parameters(self) -> Mapping[str, Tensor]:
        """T, and O or the means, a row a state."""
        return {"transition": self.transition, "emission": self.emission}
