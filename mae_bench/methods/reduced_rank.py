"""The best linear code of what is visible: how far a masked loss goes without a net."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.models.masking import FIXED, Masking, patches_a_unit, random_masking
from mae_bench.models.vit import patchify
from mae_bench.records.schema import Track

N_FIT = 10_000
RIDGE = 1e-6  # share of the visible pixels' mean variance: duplicates are no error


class ReducedRank(Method):
    """Reduced-rank regression of the masked pixels on the visible ones, at one mask.

    Of all linear maps through d numbers it has the least squared error: with
    B = Σ_vv^-1 Σ_vm and U_d the leading eigenvectors of Σ_mv B, the code is
    (x_v - mean) B U_d and the prediction mean + code U_dᵀ.

    References:
        Izenman 1975, doi 10.1016/0047-259X(75)90042-1.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    centre: Tensor
    encoder: Tensor
    decoder: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_family: str = "left",
        mask_unit: int = 0,
        patch_size: int = 2,
        bottleneck: int = 2,
        **budget: Any,
    ) -> None:
        """Fit the code on 10,000 training images.

        Args:
            dataset: The world that it looks at.
            generator: Draws those images.
            mask_family: A fixed mask; see ``random_masking``.
            mask_unit: Side of a mask unit in pixels; 0 for the patch size.
            patch_size: In pixels; divides the image.
            bottleneck: d, width of the code, from 1 to the number of pixels on
                either side of the mask.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A mask that differs between images, or a width out of range.
        """
        super().__init__(dataset, generator, **budget)
        if mask_family not in FIXED:
            known = list(FIXED)
            raise ValueError(f"mask_family {mask_family!r}; choose one of {known}")
        self.mask_family = mask_family
        self.patch_size = patch_size
        self.grid_size = dataset.image_size // patch_size
        self.unit = patches_a_unit(mask_unit or patch_size, patch_size)
        visible, masked = self._sides(dataset.sample(N_FIT, generator))
        most = min(visible.shape[1], masked.shape[1])
        if not 1 <= bottleneck <= most:
            raise ValueError(f"bottleneck {bottleneck}; choose from 1 to {most}")
        encoder, decoder = reduced_rank(visible, masked, bottleneck)
        self.register_buffer("centre", visible.mean(0).float())
        self.register_buffer("encoder", encoder.float())
        self.register_buffer("decoder", decoder.float())

    def masking(self, n: int, generator: torch.Generator) -> Masking:
        """The same mask for n images."""
        return random_masking(
            n,
            self.grid_size,
            0.5,
            generator,
            family=self.mask_family,
            unit=self.unit,
        )

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The code [n, d], also as ``mean``: of the side that its own mask leaves.

        Raises:
            ValueError: Other patches are to be seen than those that it was fitted on.
        """
        own = self.masking(len(batch), torch.Generator(batch.images.device)).ids_keep
        if ids_keep is not None and not torch.equal(ids_keep.sort(1).values, own):
            raise ValueError(
                f"this code is of the patches that {self.mask_family!r} leaves; "
                "show it no others"
            )
        code = (self._sides(batch)[0].float() - self.centre) @ self.encoder
        return {"code": code, "mean": code}

    def _sides(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Visible and masked pixels, in float64."""
        patches = patchify(batch.images, self.patch_size).double()
        masking = self.masking(1, torch.Generator(batch.images.device))
        visible, masked = masking.ids_keep[0], masking.ids_masked[0]
        return patches[:, visible].flatten(1), patches[:, masked].flatten(1)


def reduced_rank(
    x: Float[Tensor, "n v"], y: Float[Tensor, "n m"], rank: int
) -> tuple[Float[Tensor, "v d"], Float[Tensor, "d m"]]:
    """Encoder B U and decoder Uᵀ of the best map of x to y through ``rank`` numbers.

    Args:
        x: What is given.
        y: What is wanted.
        rank: d, at most v and m.
    """
    x, y = x - x.mean(0), y - y.mean(0)
    gram = x.T @ x
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=x.device)
    B = torch.linalg.solve(gram + ridge, x.T @ y)
    U = torch.linalg.eigh(y.T @ x @ B).eigenvectors[:, -rank:].flip(1)
    return B @ U, U.T
