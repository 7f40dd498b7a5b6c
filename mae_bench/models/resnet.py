"""ResNet-18 (He et al. 2015) for small images, its weights named as everywhere."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)
BLOCKS = 2  # of each width


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, each with batch norm."""

    def __init__(self, in_dim: int, dim: int, stride: int) -> None:
        """Build it; the shortcut is a 1 x 1 convolution where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(in_dim, dim, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(dim)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(dim)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or in_dim != dim:
            conv = nn.Conv2d(in_dim, dim, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(dim))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """The block's output, of half the side at stride 2."""
        h = torch.relu(self.bn1(self.conv1(x)))
        out: Tensor = torch.relu(self.bn2(self.conv2(h)) + self.downsample(x))
        return out


class ResNet18(nn.Module):
    """Images -> a map of 512 features, read by its mean.

    The stem is the one of CIFAR: a 3 x 3 convolution and no pooling. Weights have
    torchvision's names; its ``fc`` is not part of an encoder. With batch norm an
    image's features depend on its batch while it trains, and not once it is frozen.

    References:
        He et al. 2015, arXiv 1512.03385; the stem: Chen et al. 2020, arXiv 2002.05709,
        Appendix B.9.
    """

    def __init__(self, generator: torch.Generator, *, channels: int = 3) -> None:
        """Build it and draw its weights.

        Args:
            generator: Draws the weights; the global random state has no say.
            channels: c.
        """
        super().__init__()
        self.embed_dim = WIDTHS[-1]
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        in_dim = WIDTHS[0]
        for number, dim in enumerate(WIDTHS, 1):
            first = BasicBlock(in_dim, dim, 1 if number == 1 else 2)
            rest = (BasicBlock(dim, dim, 1) for _ in range(BLOCKS - 1))
            setattr(self, f"layer{number}", nn.Sequential(first, *rest))
            in_dim = dim
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(
                    part.weight,
                    mode="fan_out",
                    nonlinearity="relu",
                    generator=generator,
                )

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n l d"]:
        """The last map's places row by row; an eighth of the side, at least 1."""
        x = torch.relu(self.bn1(self.conv1(images)))
        for number in range(1, len(WIDTHS) + 1):
            x = getattr(self, f"layer{number}")(x)
        return x.flatten(2).mT

    def readout(self, tokens: Float[Tensor, "n l d"]) -> dict[str, Tensor]:
        """What a probe may read: the ``mean`` of the places."""
        return {"mean": tokens.mean(1)}
