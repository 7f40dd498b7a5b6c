"""Many trainings at once: the weights of like methods stacked, each as if alone.

A small step is mostly overhead. Stacked along a first axis the members share it: one
vectorised pass gives all losses and gradients, one optimiser step moves all weights.
Nothing couples members, so one that diverges costs itself alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_map

from mae_bench.datasets import Batch
from mae_bench.methods import Method
from mae_bench.models.optimiser import BETAS, warmup_cosine

Weights = dict[str, Tensor]


class StackedAdamW(torch.optim.Optimizer):
    """AdamW on a matrix with a member in each row and a learning rate for each.

    References:
        Loshchilov & Hutter 2019, arXiv 1711.05101; see ``optimiser.adamw``.
    """

    def __init__(
        self,
        matrix: Float[Tensor, "k p"],
        lr: Float[Tensor, "k 1"],
        weight_decay: Float[Tensor, "k p"],
        eps: float = 1e-8,
    ) -> None:
        """Start from no momentum.

        Args:
            matrix: Weights of k members.
            lr: Learning rate of each; to be replaced in ``param_groups`` as it moves.
            weight_decay: Decoupled, times the learning rate.
            eps: Added to the root of the second moment.
        """
        settings = {"lr": lr, "weight_decay": weight_decay, "eps": eps}
        super().__init__([matrix], settings)
        self.state[matrix] = {
            "step": 0,
            "exp_avg": torch.zeros_like(matrix),
            "exp_avg_sq": torch.zeros_like(matrix),
        }

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every member."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        (group,) = self.param_groups
        (matrix,) = group["params"]
        state, lr = self.state[matrix], group["lr"]
        state["step"] += 1
        short, long = (1 - beta ** state["step"] for beta in BETAS)
        m, v = state["exp_avg"], state["exp_avg_sq"]
        matrix.mul_(1 - lr * group["weight_decay"])
        m.lerp_(matrix.grad, 1 - BETAS[0])
        v.mul_(BETAS[1]).addcmul_(matrix.grad, matrix.grad, value=1 - BETAS[1])
        scale = v.sqrt().div_(math.sqrt(long)).add_(group["eps"])
        matrix.sub_((m / scale).mul_(lr / short))
        return loss


class Ensemble(L.LightningModule):
    """Methods of one class and shape that are trained together by Lightning.

    Each keeps its own world, images, masks, initial weights, rates and settings. What
    is trained lies in one matrix ``[members, values]``, of which ``weights`` are views
    by name; frozen parts lie beside it.

    Settings that are fractions and differ between members (``lamb``, a temperature)
    are handed to each member's loss as numbers without shape.
    """

    def __init__(self, methods: Sequence[Method]) -> None:
        """Stack them.

        Args:
            methods: k of them, on one device, with ``noise`` seeded and as many steps
                and images a step.

        Raises:
            RuntimeError: Their parameters or buffers have different shapes.
        """
        super().__init__()
        self.automatic_optimization = False
        # In a tuple, for Lightning is to see no part of them.
        self.methods = tuple(methods)
        first = self.methods[0]
        named = [dict(method.named_parameters()) for method in methods]
        stacked = {
            name: torch.stack([p[name].detach() for p in named]) for name in named[0]
        }
        trained = {
            name: w for name, w in stacked.items() if named[0][name].requires_grad
        }
        self.matrix = torch.cat([w.reshape(len(w), -1) for w in trained.values()], 1)
        sizes = [w[0].numel() for w in trained.values()]
        views = zip(trained, torch.split(self.matrix, sizes, 1), strict=True)
        self.trained = {name: v.view(trained[name].shape) for name, v in views}
        self.frozen = {name: w for name, w in stacked.items() if name not in trained}
        self.buffers_apart = differing_buffers(methods)
        self.settings = {
            place: torch.tensor(values, dtype=torch.float64).to(self.matrix)
            for place, values in differing_fractions(methods).items()
        }
        self.rates = _rates(methods).to(self.matrix)
        # As in a member alone, weight matrices decay and the rest does not.
        matrices = torch.tensor([w.ndim > 2 for w in trained.values()])
        decays = matrices.repeat_interleave(torch.tensor(sizes))
        each = torch.tensor(
            [[float(m.weight_decay)] for m in methods], dtype=torch.float64
        )
        self.decay = (each * decays).to(self.matrix)
        self.taken = 0
        self.last_step = first.last_step

    @property
    def weights(self) -> Weights:
        """Parameters by name, members on the first axis; views, changed in place."""
        return self.trained | self.frozen

    def prepare(self, batches: Sequence[Batch]) -> Any:
        """What each member is shown of its own batch, stacked."""
        pairs = zip(self.methods, batches, strict=True)
        return stack([method.prepare(batch, method.noise) for method, batch in pairs])

    def gradients(
        self, example: Any
    ) -> tuple[Float[Tensor, "k p"], Float[Tensor, " k"]]:
        """The gradient of each member's own loss, and the losses."""
        # Of the attentions, the one in plain matrix products takes a further axis.
        with sdpa_kernel(SDPBackend.MATH):
            found, losses = vmap(grad_and_value(self._loss))(
                self.trained, self.frozen, self.buffers_apart, self.settings, example
            )
        return torch.cat(
            [found[name].reshape(len(losses), -1) for name in self.trained], 1
        ), losses

    def _loss(
        self,
        trained: Weights,
        frozen: Weights,
        buffers: Weights,
        settings: Mapping[tuple[str, str], Tensor],
        example: Any,
    ) -> Float[Tensor, ""]:
        """The loss of one member: the first method's, with the member's own numbers."""
        state = trained | frozen | buffers
        with swapped(self.methods[0], settings):
            loss: Tensor = functional_call(self.methods[0], state, (example,))
        return loss

    def training_step(
        self, rounds: Iterable[Sequence[Batch]], batch_idx: int
    ) -> Float[Tensor, "steps k"]:
        """Some steps of every member, for Lightning; gives their losses.

        Args:
            rounds: For each step, a batch of each member.
            batch_idx: Unused.
        """
        del batch_idx
        optimizer: Any = self.optimizers()
        losses = []
        for batches in rounds:
            self.matrix.grad, loss = self.gradients(self.prepare(batches))
            optimizer.param_groups[0]["lr"] = self.rates[self.taken]
            optimizer.step()
            self.follow(self.taken)
            self.taken += 1
            losses.append(loss)
        return torch.stack(losses)

    def follow(self, step: int) -> None:
        """Move what is not trained but follows it; each by its own settings."""
        if type(self.methods[0]).follow is Method.follow:
            return
        if not self.settings:
            self.methods[0].follow(self.weights, step)
            return
        for i, method in enumerate(self.methods):
            method.follow({name: w[i] for name, w in self.weights.items()}, step)

    @torch.no_grad()
    def unstack(self) -> None:
        """Give every method its weights."""
        for i, method in enumerate(self.methods):
            for name, parameter in method.named_parameters():
                parameter.copy_(self.weights[name][i])

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Nothing to do: images are sampled on the device."""
        del device, dataloader_idx
        return batch

    def configure_optimizers(self) -> Any:
        """The optimiser of all members; the step sets their rates."""
        return StackedAdamW(self.matrix, self.rates[0], self.decay)


def stack(examples: Sequence[Any]) -> Any:
    """Nests of tensors of one shape as one nest, with an axis before all others."""
    return tree_map(lambda *each: torch.stack(each), *examples)


def _rates(methods: Sequence[Method]) -> Float[Tensor, "steps k 1"]:
    """Learning rate of each member at each step: there ahead, so that no step waits."""
    rates = [
        [m.lr * warmup_cosine(step, m.steps, m.warmup) for m in methods]
        for step in range(methods[0].last_step)
    ]
    return torch.tensor(rates, dtype=torch.float64)[..., None]


def differing_buffers(methods: Sequence[nn.Module]) -> Weights:
    """Buffers that are not the same in all modules, stacked."""
    each = [dict(method.named_buffers()) for method in methods]
    return {
        name: torch.stack([buffers[name] for buffers in each])
        for name, first in each[0].items()
        if not all(torch.equal(first, buffers[name]) for buffers in each[1:])
    }


def scalars(method: nn.Module) -> dict[tuple[str, str], Any]:
    """(module, attribute) -> value, of all plain values that a module's parts hold."""
    return {
        (path, name): value
        for path, part in method.named_modules()
        for name, value in vars(part).items()
        if not name.startswith("_") and isinstance(value, str | int | float | None)
    }


def differing_fractions(
    methods: Sequence[nn.Module],
) -> dict[tuple[str, str], list[float]]:
    """The places that hold a float, and not the same one in all modules."""
    each = [scalars(method) for method in methods]
    return {
        place: [found[place] for found in each]
        for place, value in each[0].items()
        if isinstance(value, float) and any(f[place] != value for f in each)
    }


@contextmanager
def swapped(
    module: nn.Module, values: Mapping[tuple[str, str], Tensor]
) -> Iterator[None]:
    """Other values in attributes of a module's parts, for a while."""
    places = [(module.get_submodule(path), name) for path, name in values]
    before = [getattr(part, name) for part, name in places]
    try:
        for (part, name), value in zip(places, values.values(), strict=True):
            setattr(part, name, value)
        yield
    finally:
        for (part, name), value in zip(places, before, strict=True):
            setattr(part, name, value)
