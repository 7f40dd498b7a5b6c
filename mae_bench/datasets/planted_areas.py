"""Clusters of images that share a map of areas: a global one and three local ones.

Of an image of cluster k, patch p of area j is x_p = z_j v_kj + σ ε, with a direction
v_kj of the area's own and a strength z_j ~ U[L, U] that all its patches share and no
other area tells. The grid is 6 x 6 patches: ``global_rows`` whole rows are the global
area, the others are cut into three strips of two columns, the local areas. Cluster k
has that map turned by k quarters: which patches belong together is not told by their
places alone.

References:
    Huang, Wen, Chi & Liang 2025, arXiv 2403.02233: clusters D_k, areas P_kj, orthogonal
    features v_kj, z_j ~ U[L, U] with L > 0. There patches have no noise.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Int64
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import orthonormal

GRID = 6
LOCAL_AREAS = 3
LOW, HIGH = 0.25, 1.75  # z_j: mean 1, variance 3 / 16


class PlantedAreas(Generated):
    """Images of 6 x 6 patches: ``level_0`` is the cluster (one-hot), ``level_1`` z.

    The class is the cluster; clusters are equally likely. The global area comes first
    among the areas. Directions are orthogonal, of mean square 1 over a patch's pixels.

    n images of d = 36 p² pixels, p the patch's side, take O(n d) time and memory; the
    constructor takes O(p²).
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        global_rows: int = 4,
        clusters: int = 4,
        patch_size: int = 4,
        pixel_noise: float = 0.5,
        hidden_share: float = 0.5,
        **settings: Any,
    ) -> None:
        """Draw the directions v_kj.

        Args:
            generator: Draws them.
            global_rows: Rows of the global area, in 1..5: it has 6 rows patches, and
                each local area 2 (6 - rows).
            clusters: In 2..4.
            patch_size: In pixels; a patch has at least as many as there are areas.
            pixel_noise: σ > 0.
            hidden_share: Share of the patches, in [0, 1), that ``redraw`` blanks.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        areas = 1 + LOCAL_AREAS
        least = math.ceil(math.sqrt(max(clusters, 1) * areas))
        for name, value, low, high in (
            ("global_rows", global_rows, 1, GRID - 1),
            ("clusters", clusters, 2, 4),
            ("patch_size", patch_size, least, math.inf),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; choose in {low}..{high}")
        if not 0 < pixel_noise < math.inf:
            raise ValueError(f"pixel_noise is {pixel_noise}; choose a number above 0")
        if not 0 <= hidden_share < 1:
            raise ValueError(f"hidden_share is {hidden_share}; choose in [0, 1)")
        self.channels = 1
        self.image_size = GRID * patch_size
        self.levels = ("level_0", "level_1")
        self.num_classes = clusters
        self.patch_size = patch_size
        self.pixel_noise = pixel_noise
        self.hidden_share = hidden_share
        self.areas = area_maps(global_rows, clusters)

        v = orthonormal(1, patch_size**2, clusters * areas, generator)[0].T
        v = v.float() * patch_size  # the root of the number of pixels
        self._directions = v.view(clusters, areas, patch_size, patch_size)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        device, clusters = generator.device, len(self.areas)
        cluster = torch.randint(clusters, (n,), generator=generator, device=device)
        uniform = torch.rand(n, 1 + LOCAL_AREAS, generator=generator, device=device)
        return self._show(cluster, LOW + (HIGH - LOW) * uniform, generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same cluster and strengths; noise anew, and a share of the patches blank.

        Masking at random is the augmentation that the theory gives to contrastive
        learning; a blank patch is 0, as its mask token is. Here one view of the pair is
        masked, there both are.

        Raises:
            ValueError: The images are of another world.
        """
        if tuple(batch.latents) != self.levels or batch.labels is None:
            raise ValueError(
                f"images with latents {tuple(batch.latents)} are not of this world; "
                f"give a labelled batch with {self.levels}"
            )
        view = self._show(batch.labels, batch.latents["level_1"], generator)
        places = (len(batch), 1, GRID, GRID)
        draw = torch.rand(places, generator=generator, device=generator.device)
        seen = draw >= self.hidden_share
        for axis in (2, 3):
            seen = seen.repeat_interleave(self.patch_size, axis)
        return Batch(view.images * seen, view.latents, view.labels)

    def parameters(self) -> Mapping[str, Tensor]:
        """The directions of all clusters' areas."""
        return {"directions": self._directions}

    def _show(self, cluster: Tensor, z: Tensor, generator: torch.Generator) -> Batch:
        # The world moves to the images' device, and stays there.
        self._directions = self._directions.to(z.device)
        self.areas = self.areas.to(z.device)
        area = self.areas[cluster]  # [n, l]
        patches = (
            z.gather(1, area)[..., None, None]
            * self._directions[cluster[:, None], area]
        )
        p, side = self.patch_size, self.image_size
        grid = patches.view(-1, GRID, GRID, p, p).transpose(2, 3)
        clean = grid.reshape(-1, 1, side, side)
        noise = torch.randn(clean.shape, generator=generator, device=z.device)
        images = clean.add(noise, alpha=self.pixel_noise)
        known = one_hot(cluster, len(self.areas)).float()
        return Batch(images, {"level_0": known, "level_1": z}, cluster)


def area_maps(global_rows: int, clusters: int) -> Int64[Tensor, "k l"]:
    """Area of each patch, row by row, in each cluster: 0 global, 1 to 3 local.

    >>> area_maps(5, 2).view(2, 6, 6)[0, 4:].tolist()
    [[0, 0, 0, 0, 0, 0], [1, 1, 2, 2, 3, 3]]
    >>> area_maps(5, 2).view(2, 6, 6)[1, :, 5].tolist()
    [3, 3, 2, 2, 1, 1]
    """
    row, column = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
    local = 1 + column // (GRID // LOCAL_AREAS)
    first = torch.where(row < global_rows, 0, local)
    return torch.stack([first.rot90(k).flatten() for k in range(clusters)])
