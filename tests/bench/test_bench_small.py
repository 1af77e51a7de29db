"""The bench in its smallest form, so that it still runs on the day when somebody wants figures."""

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import report

RECORDS = 240


def test_a_small_run_measures_every_figure_that_has_a_target(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    assert bench.main(["--records", str(RECORDS), "--quick", "--work", str(tmp_path), "--out", str(out)]) == 0
    document = json.loads(out.read_text())
    assert [label for label, *_ in report.rows(document)] == [target.label for target in report.TARGETS]
    assert set(document["limits"]) >= {
        "sqlite_rows_per_s",
        "ed25519_verify_per_s_1t",
        "ed25519_verify_per_s_2t",
        "zstd3_bytes_per_record",
    }
    assert document["figures"]["nothing_new"]["round_trips"] == 1


def test_the_readme_has_a_place_for_the_figures(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(bench.README.read_text(encoding="utf-8"), encoding="utf-8")
    report.write_readme(readme, {"machine": {"cores": 2}, "limits": {}, "figures": {"start_s": 0.5}})
    assert "| start with 100,000 records | 0.5 s | ≤ 1 | reached |" in readme.read_text(encoding="utf-8")


def test_a_figure_beyond_its_bound_is_missed() -> None:
    document = {"limits": {}, "figures": {"import_rows_per_s": 11_999, "idle_rss_mb": 90}}
    assert [met for *_, met in report.rows(document)] == ["missed", "reached"]


def test_too_few_records_to_differ_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--records", "8"])
    assert "40 at least" in capsys.readouterr().err
