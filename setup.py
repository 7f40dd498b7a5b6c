"""What pyproject.toml cannot say: a wheel takes the published results along."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RESULTS = Path("results")
# What ``site``, ``info`` and ``evaluate`` read; results/ has the only copy in git.
TAKEN = ("*.csv", "measurements/leaderboard.csv")
DRAWN = ("figures/verdicts.png", "figures/leaderboard.png")


class WithResults(build_py):
    """The package, and results beside its code."""

    def run(self) -> None:
        """Copy both."""
        super().run()
        if self.editable_mode:
            return
        for pattern in (*TAKEN, *DRAWN):
            for path in RESULTS.glob(pattern):
                home = Path(self.build_lib, "mae_bench", "published")
                target = home / path.relative_to(RESULTS)
                self.mkpath(str(target.parent))
                self.copy_file(str(path), str(target))


setup(cmdclass={"build_py": WithResults})
