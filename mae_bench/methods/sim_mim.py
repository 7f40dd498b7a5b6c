"""SimMIM (Xie et al. 2022): mask tokens enter the encoder, a linear head predicts."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.models.masking import Masking
from mae_bench.models.vit import draw_weights


class SimMIM(MaskedViT):
    """Masked patches enter the encoder as a mask token; L1 loss of a linear head.

    Loss: the mean of |prediction - pixel| over masked pixels. The head is one linear
    map, shared by all patches, of the encoder's last tokens: no decoder stands between,
    the encoder must hold the masked pixels itself. L1 asks for medians, so a mean
    squared error is not what it minimises.

    Differences from the released recipe (ViT): positions are the house's fixed ones,
    not learned relative biases. The ratio of 0.6 is kept, the unit is one patch, where
    the paper's is two a side: a grid of 4 patches a side would have 4 such units, and
    four masks.

    Features under masks are those of the visible patches alone, as of every method;
    training puts mask tokens in the place of the others, and never shows the encoder
    an image without them.

    References:
        2111.09886, Sec. 3.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.6,
        **masked: Any,
    ) -> None:
        """Build encoder, mask token and head.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            mask_ratio: Share of the mask units that is hidden, in (0, 1).
            masked: See ``MaskedViT``; with places, and without ``bottleneck``, which
                nothing would train.

        Raises:
            ValueError: Masks that cannot be drawn, or an encoder that cannot be
                trained so.
        """
        super().__init__(dataset, generator, mask_ratio=mask_ratio, **masked)
        vit = self.encoder
        if vit.bottleneck or not vit.pos_embed:
            raise ValueError(
                f"bottleneck {vit.bottleneck}, pos_embed {vit.pos_embed}: no head "
                "reads a code, and mask tokens without a place are all alike; "
                "choose 0 and True"
            )
        token = torch.empty(vit.embed_dim).normal_(std=0.02, generator=generator)
        self.mask_token = nn.Parameter(token)
        self.head = nn.Linear(vit.embed_dim, vit.patch_size**2 * dataset.channels)
        draw_weights(self.head, generator)

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean absolute error of the masked pixels."""
        images, masking = example
        prediction = self.predict(images, masking)
        return F.l1_loss(prediction, self.patches(images, self.asked(masking)))

    def predict(
        self, images: Float[Tensor, "n c h w"], masking: Masking
    ) -> Float[Tensor, "n m p"]:
        """Pixels of the masked patches; what they hold is never looked at.

        Places tell the tokens apart, so they may stay in shuffled order: class token,
        visible patches, masked ones.
        """
        vit = self.encoder
        kept = vit.patch_embed(self.patches(images, masking.ids_keep))
        kept = kept + vit.positions[masking.ids_keep]
        masked = self.mask_token + vit.positions[masking.ids_masked]
        assert vit.cls_token is not None
        x = torch.cat([vit.cls_token.expand(len(kept), 1, -1), kept, masked], dim=1)
        for block in vit.blocks:
            x = block(x)
        prediction: Tensor = self.head(vit.norm(x[:, -masked.shape[1] :]))
        return prediction

    def reconstruct(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n m p"], Float[Tensor, "n m p"], Masking]:
        """Prediction and target of the masked patches in pixels, and the masks."""
        images, masking = self.prepare(batch, generator)
        target = self.patches(images, self.asked(masking))
        return self.predict(images, masking), target, masking
