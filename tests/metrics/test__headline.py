from mae_bench.metrics._headline import Headline


def test_its_name_is_the_metric_and_what_it_is_of() -> None:
    assert Headline("level_0", metric="mcc").name == "mcc_level_0"
    assert Headline(metric="linear_probe").name == "linear_probe"
