from typing import get_args

from mae_bench.options import Rerun, TierName
from mae_bench.plan import Rerun as Planned
from mae_bench.schema import TIERS


def test_the_command_line_offers_every_tier_and_way_to_rerun() -> None:
    assert [tier.value for tier in TierName] == list(TIERS)
    assert [rerun.value for rerun in Rerun] == list(get_args(Planned))
