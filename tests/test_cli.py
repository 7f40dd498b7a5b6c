import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import Result

Call = Callable[..., Result]

HEAVY = ("torch", "lightning", "pandas", "sklearn", "scipy", "matplotlib", "numpy")


@pytest.mark.parametrize("words", [["--help"], ["list"]], ids=" ".join)
def test_help_and_list_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from mae_bench.cli import app\n"
        f"app({words}, standalone_mode=False)\n"
        f"sys.exit(', '.join({set(HEAVY)} & sys.modules.keys()) or 0)\n"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "mask" in done.stdout
