from typing import get_args

from mae_bench.commands.options import Rerun, TierName
from mae_bench.records.schema import TIERS
from mae_bench.runs.plan import Rerun as Planned


def test_the_command_line_offers_every_tier_and_way_to_rerun() -> None:
    assert [tier.value for tier in TierName] == list(TIERS)
    assert [rerun.value for rerun in Rerun] == list(get_args(Planned))
