from mae_bench.experiments._published import Published


def test_it_says_number_protocol_and_source() -> None:
    number = Published("mae", "knn_probe", "k20", 0.61, "best epoch", "a table")
    assert str(number) == "mae 0.610 (best epoch; a table)"
