"""Some universes of the overlay, and a small run of what `make sim-scale` measures. The long forms: `make sim`, `make sim-scale`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from overlay_sim.scale import BY_GOSSIP, measured
from overlay_sim.universe import universe

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(24))
def test_after_trouble_all_honest_nodes_are_one_whole_and_gossip_reaches_each(seed: int) -> None:
    assert universe(seed).wrong == ()


def test_a_seed_replays_exactly_also_in_another_process() -> None:
    code = "from overlay_sim.universe import universe; print(universe(0).trace, universe(7).trace)"
    paths = os.pathsep.join(str(ROOT / each) for each in ("protocol", "tests"))
    traces = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=120,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(traces) == 1


def test_a_hundred_nodes_are_all_reached_by_gossip_alone_and_mend_after_a_loss() -> None:
    figures = measured(100, 1)
    assert figures["delivered"][BY_GOSSIP] == 1
    assert figures["copies_per_node"][BY_GOSSIP] < 1.5
    assert figures["delivered_after_30pct_loss"][BY_GOSSIP] > 0.999
