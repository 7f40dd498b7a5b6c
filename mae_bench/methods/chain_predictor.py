"""The best masked predictors in the form of a hidden chain's posterior."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.hidden_chain import EMISSIONS, STATES, doubly_stochastic
from mae_bench.methods import Method
from mae_bench.records.schema import Track

Loss = Callable[[Tensor, Tensor], Tensor]
MAX_ITER = 300  # of a descent


class ChainPredictor(Method):
    """T and emissions of least loss in predicting some tokens of a chain from one.

    Of ``symbols`` the first token predicts the next one, or the next two, by cross
    entropy. Of ``gaussian`` tokens it predicts the mean of the next one, by squared
    error: f(x) = Σ_k p(k | x) Σ_l T_kl μ_l. A few descents by L-BFGS begin at random
    places, and all of their ends are kept, the best first.

    Attributes:
        losses: Mean loss on its samples ``[restarts]``, float64.
        transitions: T of every end ``[restarts, k, k]``, doubly stochastic.
        emissions_found: O or the means, a row a state ``[restarts, k, c]``.

    References:
        Liu et al. 2022, arXiv 2202.09305.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    losses: Tensor
    transitions: Tensor
    emissions_found: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        emissions: str = "gaussian",
        tokens: int = 2,
        samples: int = 200,
        restarts: int = 2,
        **budget: Any,
    ) -> None:
        """Draw images, and fit.

        Args:
            dataset: The world that it learns from.
            generator: Draws images and where descents begin.
            emissions: ``symbols`` or ``gaussian``, the world's.
            tokens: Of a task: 2, or 3 of symbols.
            samples: Images, at least 10.
            restarts: Descents, at least 1.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **budget)
        if emissions not in EMISSIONS:
            raise ValueError(f"emissions is {emissions!r}; choose one of {EMISSIONS}")
        if tokens not in (2, 3) or (tokens == 3 and emissions == "gaussian"):
            raise ValueError(
                f"tokens is {tokens} of {emissions}; choose 2, or 3 of symbols"
            )
        if samples < 10 or restarts < 1:
            raise ValueError(f"{restarts} descents on {samples} samples; give 1 on 10")
        self.emissions, self.tokens = emissions, tokens
        images = dataset.sample(samples, generator).images
        x = images.flatten(2).transpose(1, 2).double()
        loss = task(x[:, :tokens], emissions)
        found = [self._descend(loss, x, generator) for _ in range(restarts)]
        found.sort(key=lambda end: end[0].item())
        names = ("losses", "transitions", "emissions_found")
        for name, ends in zip(names, zip(*found, strict=True), strict=True):
            self.register_buffer(name, torch.stack(ends))

    def _descend(
        self, loss: Loss, x: Float64[Tensor, "n t c"], generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, T and emissions where a descent ends."""
        weights = 0.5 * torch.randn(6, generator=generator, dtype=torch.float64)
        rows = 0.5 * torch.randn(
            STATES, x.shape[2], generator=generator, dtype=torch.float64
        )
        symbols = self.emissions == "symbols"
        if not symbols:
            # Three tokens are better guesses of means than none.
            some = torch.randperm(len(x), generator=generator)[:STATES]
            rows = x[some, 0].clone()
        free = [weights.requires_grad_(), rows.requires_grad_()]

        def chain() -> tuple[Tensor, Tensor]:
            emission = free[1].softmax(1) if symbols else free[1]
            return doubly_stochastic(free[0].softmax(0)), emission

        optimizer = torch.optim.LBFGS(
            free,
            max_iter=MAX_ITER,
            tolerance_grad=1e-9,
            tolerance_change=1e-13,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            now = loss(*chain())
            now.backward()  # type: ignore[no-untyped-call]
            return now

        with torch.inference_mode(False), torch.enable_grad():
            optimizer.step(closure)  # type: ignore[no-untyped-call]
        return tuple(one.detach() for one in (loss(*chain()), *chain()))  # type: ignore[return-value]

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """What the first token tells of its state [n, 3].

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("it looks at the first token alone; leave ids_keep out")
        first = batch.images.flatten(2)[:, :, 0].double()
        emission = self.emissions_found[0].to(first)
        if self.emissions == "symbols":
            known = first @ emission.T
            return {"mean": (known / known.sum(1, keepdim=True)).float()}
        return {"mean": posterior(first, emission).float()}


def posterior(
    x: Float64[Tensor, "n c"], means: Float64[Tensor, "k c"]
) -> Float64[Tensor, "n k"]:
    """P(k | x) of equally likely states, whose noise has unit variance."""
    return (x @ means.T - 0.5 * means.square().sum(1)).softmax(1)


def task(x: Float64[Tensor, "n t c"], emissions: str) -> Loss:
    """The mean loss of T and emissions, on the tokens of a task."""
    if emissions == "gaussian":
        first, second = x[:, 0], x[:, 1]

        def squared(transition: Tensor, emission: Tensor) -> Tensor:
            told = posterior(first, emission) @ transition @ emission
            return (second - told).square().sum(1).mean()

        return squared
    letters = "ijl"[: x.shape[1]]
    counts = torch.einsum(
        ",".join(f"n{letter}" for letter in letters) + "->" + letters, *x.unbind(1)
    )
    share = counts / counts.sum()

    def cross_entropy(transition: Tensor, emission: Tensor) -> Tensor:
        law = symbol_law(transition, emission, x.shape[1])
        first = law.flatten(1).sum(1).view(-1, *[1] * (law.ndim - 1))
        return -(share * (law / first).log()).sum()

    return cross_entropy


def symbol_law(
    transition: Float64[Tensor, "k k"], emission: Float64[Tensor, "k c"], tokens: int
) -> Tensor:
    """The joint law of so many symbols in a row, from uniform states."""
    pair = (emission.T / STATES) @ transition  # first symbol, second state
    if tokens == 2:
        return pair @ emission
    return torch.einsum("ib,bj,bc,cl->ijl", pair, emission, transition, emission)
