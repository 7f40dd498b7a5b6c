"""ClusterMIM (Du et al. 2024): masked patches are told as tokens, not as pixels."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.models.decoder import Decoder
from mae_bench.models.vit import patchify

N_FIT = 500
FINE = 128  # clusters that are merged
TOKENS = ("clusters", "mixed", "aligned", "classes")


class ClusterMIM(MaskedViT):
    """MAE whose decoder tells each masked patch's token, by cross entropy.

    Tokens are ``clusters``, k-means of patches' pixels; ``mixed``, 128 such clusters
    dealt at random to as many tokens; ``aligned``, 128 clusters merged by how often
    they are of each class, which looks at labels; or ``classes``, the image's own
    label.

    References:
        2407.09087: tokens by k-means of pixels. The others are this suite's, to be
        worse and better.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ()
    centres: Tensor
    token_of: Tensor | None

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        tokens: str = "clusters",
        vocabulary: int = 16,
        decoder_embed_dim: int = 32,
        decoder_depth: int = 1,
        decoder_num_heads: int = 4,
        **masked: Any,
    ) -> None:
        """Build encoder and decoder, and cluster the patches of 500 training images.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first, then the images.
            tokens: ``clusters``, ``mixed``, ``aligned`` or ``classes``.
            vocabulary: Number of tokens, in 2..128; of ``classes`` it is the world's.
            decoder_embed_dim: Width of the decoder, a multiple of 4.
            decoder_depth: Blocks of the decoder, at least 1.
            decoder_num_heads: Attention heads of the decoder.
            masked: See ``MaskedViT``.

        Raises:
            ValueError: A setting is outside its range, or classes are not known.
        """
        super().__init__(dataset, generator, **masked)
        if tokens not in TOKENS:
            raise ValueError(f"tokens is {tokens!r}; choose one of {TOKENS}")
        if not 2 <= vocabulary <= FINE:
            raise ValueError(f"vocabulary is {vocabulary}; choose in 2..{FINE}")
        classes = dataset.num_classes
        if tokens in ("aligned", "classes") and classes is None:
            raise ValueError(f"tokens is {tokens!r}, and this world has no classes")
        self.tokens = tokens
        self.vocabulary = classes or 0 if tokens == "classes" else vocabulary
        vit = self.encoder
        self.decoder = Decoder(
            generator,
            grid=vit.grid_size,
            in_dim=vit.bottleneck or vit.embed_dim,
            embed_dim=decoder_embed_dim,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            patch_dim=self.vocabulary,
        )
        if tokens != "classes":
            centres, token_of = self._cluster(generator)
            self.register_buffer("centres", centres)
            self.register_buffer("token_of", token_of)

    def _cluster(self, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Centres of the clusters of pixels, and the token of each if it is merged."""
        batch = self.dataset.sample(N_FIT, generator)
        patches = patchify(batch.images, self.encoder.patch_size)
        fine = self.vocabulary if self.tokens == "clusters" else FINE
        found = _k_means(patches.flatten(0, 1), fine, generator)
        if self.tokens == "clusters":
            return found, None
        if self.tokens == "mixed":
            dealt = torch.arange(fine) % self.vocabulary
            return found, dealt[torch.randperm(fine, generator=generator)]
        assert batch.labels is not None
        assert self.dataset.num_classes is not None
        label = one_hot(batch.labels, self.dataset.num_classes).double()
        cluster = one_hot(_nearest(patches, found), fine).double()
        profile = torch.einsum("nlf,nc->fc", cluster, label) + 1e-6
        profile = profile / profile.sum(1, keepdim=True)
        merged = _k_means(profile, self.vocabulary, generator)
        return found, _nearest(profile[None], merged)[0]

    def tokenise(self, batch: Batch) -> Int64[Tensor, "n l"]:
        """The token of every patch."""
        if self.tokens == "classes":
            assert batch.labels is not None
            return batch.labels[:, None].expand(-1, self.encoder.num_patches)
        patches = patchify(batch.images, self.encoder.patch_size)
        found = _nearest(patches, self.centres)
        return found if self.token_of is None else self.token_of[found]

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, their masks, and the tokens of the masked patches."""
        masking = self.masking(len(batch), generator)
        asked = self.tokenise(batch).gather(1, self.asked(masking))
        return batch.images, masking, asked

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean cross entropy of the masked patches' tokens, in nats."""
        images, masking, asked = example
        tokens, known = self.encoder(images, masking.ids_keep), masking.ids_keep
        if self.encoder.bottleneck:
            tokens = self.encoder.readout(tokens)["code"][:, None]
            known = known[:, :0]
        logits = self.decoder(tokens, known, self.asked(masking))
        return cross_entropy(logits.flatten(0, 1), asked.flatten())


def _k_means(
    x: Float[Tensor, "n d"], k: int, generator: torch.Generator
) -> Float[Tensor, "k d"]:
    seed = int(torch.randint(2**31, (), generator=generator))
    found = KMeans(k, n_init=1, random_state=seed).fit(x.cpu().double().numpy())
    return torch.from_numpy(found.cluster_centers_).to(x)


def _nearest(
    x: Float[Tensor, "n l d"], centres: Float[Tensor, "k d"]
) -> Int64[Tensor, "n l"]:
    # |x - c|² without |x|², which does not choose; in the inputs' own precision.
    apart = centres.square().sum(1) - 2 * x @ centres.T
    return apart.argmin(2)
