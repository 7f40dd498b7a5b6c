"""Magnets: spins of a two-dimensional Ising model, with correlations of every order.

On a torus of w × w spins x_i = ±1, p(x) ∝ exp(J Σ_<ij> x_i x_j) over neighbours. Far
below the critical coupling J_c = log(1 + √2) / 2 = 0.4407 correlations fall like
tanh(J)^distance; above it most spins agree.

Images are drawn by the cluster algorithm of Swendsen and Wang: neighbours that agree
are bound with probability 1 - exp(-2J), and every cluster of bound spins is given a
new sign. Clusters make it mix in a few sweeps at any coupling: at J_c on 32 × 32 spins
<m²> is 0.459(6) after 30 sweeps and 0.452(6) after 100, for magnetisation m.

References:
    Bisulco et al. 2025, arXiv 2508.15404: the Ising experiment.
    Swendsen & Wang 1987, Physical Review Letters 58, 86.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Int8, Int16
from torch import Tensor

from mae_bench.datasets import Batch, Generated, SplitName

_BANK = 4096  # chains that training images are copied from
_CHUNK = 2**16  # spins that are swept at a time: as many as a core's cache holds


class Ising(Generated):
    """Images of spins, whose only latent is their mean, the magnetisation.

    A chain costs too much for every training step, so the constructor runs 4096 of
    them, and training images are copies of their last states under the symmetries of
    the torus: 16 w² of them, a random shift, turn or reflection, and sign. Copies have
    exactly the chains' distribution, but images of one batch may have the same
    original. ``split`` runs fresh chains and so shares no state with training.

    The class says whether most spins are positive; the first spin decides a tie.

    Sampling n images takes O(n w²) time and memory. Running n chains takes
    O(n w² sweeps) times the passes that mark a sweep's clusters: about 10 at J = 0.2,
    2 w at J_c. It takes n w² bytes, twice, and a fixed amount of memory to work in.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 8,
        coupling: float = 0.4,
        sweeps: int = 30,
        **settings: Any,
    ) -> None:
        """Run the chains that training images are copied from.

        Args:
            generator: Draws them.
            image_size: w = h, in 3..32 spins; time grows faster than its square.
            coupling: J >= 0, in units of the temperature.
            sweeps: Of every chain, from independent random spins; at least 1.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 3 <= image_size <= 32:
            raise ValueError(f"image_size is {image_size}; choose in 3..32")
        if not 0 <= coupling < math.inf:
            raise ValueError(f"coupling is {coupling}; choose a number of at least 0")
        if sweeps < 1:
            raise ValueError(f"sweeps is {sweeps}; choose at least 1")
        self.channels = 1
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = 2
        self.coupling = coupling
        self.sweeps = sweeps
        self._bank = self._run(_BANK, generator)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` moved copies of the chains that the constructor ran."""
        device = generator.device
        self._bank = self._bank.to(device)
        rows = torch.randint(_BANK, (n,), generator=generator, device=device)
        sign = torch.randint(2, (n, 1, 1), generator=generator, device=device) * 2 - 1
        return _batch(moved(self._bank[rows], generator) * sign)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """``n`` images of fresh chains."""
        del name
        return _batch(self._run(n, generator))

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same spins shifted around the torus, turned and reflected."""
        spins = moved(batch.images[:, 0], generator)
        return Batch(spins[:, None], batch.latents, batch.labels)

    def parameters(self) -> Mapping[str, Tensor]:
        """The last states of the constructor's chains."""
        return {"bank": self._bank}

    def _run(self, n: int, generator: torch.Generator) -> Int8[Tensor, "n w w"]:
        """The last states of ``n`` independent chains."""
        w, device = self.image_size, generator.device
        states = []
        step = max(1, _CHUNK // w**2)
        for start in range(0, n, step):
            shape = (min(step, n - start), w, w)
            coins = torch.randint(2, shape, generator=generator, device=device)
            spins = (coins * 2 - 1).to(torch.int8)
            for _ in range(self.sweeps):
                spins = sweep(spins, self.coupling, generator)
            states.append(spins)
        return torch.cat(states)


def sweep(
    spins: Int8[Tensor, "n w w"], coupling: float, generator: torch.Generator
) -> Int8[Tensor, "n w w"]:
    """One Swendsen-Wang step: clusters of bound neighbours take new random signs."""
    shape, device = (2, *spins.shape), spins.device
    binds = torch.rand(shape, generator=generator, device=device)
    binds = binds < -math.expm1(-2 * coupling)
    right = binds[0] & (spins == spins.roll(-1, 2))
    below = binds[1] & (spins == spins.roll(-1, 1))
    # A spin's number is unique in its image, and its last bit is a coin: the greatest
    # number of a cluster says which cluster it is, and what becomes of it.
    numbers = torch.arange(spins[0].numel(), device=device).view_as(spins[0])
    coins = torch.randint(2, spins.shape, generator=generator, device=device)
    greatest = spread((2 * numbers + coins).to(torch.int16), right, below)
    return ((greatest & 1) * 2 - 1).to(torch.int8)


def spread(
    numbers: Int16[Tensor, "n w w"],
    right: Bool[Tensor, "n w w"],
    below: Bool[Tensor, "n w w"],
) -> Int16[Tensor, "n w w"]:
    """The greatest number in every spin's cluster.

    Args:
        numbers: Of the spins, at least 0.
        right: Whether a spin is bound to its neighbour on the right, around the torus.
        below: Whether it is bound to its neighbour below.
    """
    bonds = [(right, -1, 2), (right.roll(1, 2), 1, 2)]
    bonds += [(below, -1, 1), (below.roll(1, 1), 1, 1)]
    bound = [(bond.to(torch.int16), shift, axis) for bond, shift, axis in bonds]
    while True:
        before = numbers
        for bond, shift, axis in bound:
            numbers = torch.maximum(numbers, numbers.roll(shift, axis) * bond)
        if torch.equal(numbers, before):
            return numbers


def moved(spins: Tensor, generator: torch.Generator) -> Tensor:
    """Each image under a random one of the 8 w² moves that map the torus to itself.

    Args:
        spins: ``[n, w, w]``, of any type.
        generator: Draws the moves.
    """
    n, w, _ = spins.shape
    device = generator.device
    shift = torch.randint(w, (2, n, 1), generator=generator, device=device)
    flip = torch.randint(2, (3, n, 1), generator=generator, device=device)
    axis = torch.arange(w, device=device) * (1 - 2 * flip[:2]) + shift
    row, column = axis % w
    index = row[:, :, None] * w + column[:, None, :]
    turned = torch.where(flip[2, :, :, None] == 1, index.mT, index)
    return spins.flatten(1).gather(1, turned.flatten(1)).view_as(spins)


def _batch(spins: Tensor) -> Batch:
    x = spins[:, None].float()
    total = spins.sum((1, 2))
    label = torch.where(total == 0, spins[:, 0, 0], total) > 0
    return Batch(x, {"level_0": x.mean((2, 3))}, label.long())
