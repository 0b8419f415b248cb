"""The verifier measured on pairs of evidence and claim."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from qa.cli import main
from qa.evaluation.grounding import Pair, evaluate_grounding, load_pairs, measure
from qa.evaluation.questions import InvalidDataset

TEXT = "The library opens at nine on weekdays. Ada Byrne founded it in 1871."
PAIRS = [
    {"source": "a", "evidence": TEXT, "claim": "The library opens at nine on weekdays.", "supported": True},
    {"source": "a", "evidence": TEXT, "claim": "The library opens at ten on weekdays.", "supported": False},
    {"source": "b", "evidence": TEXT, "claim": "Ada Byrne founded it in 1872.", "supported": False},
    {"source": "b", "evidence": TEXT * 10, "claim": "The library opens at nine on weekdays.", "supported": True},
]


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_of_pairs_gives_a_report(tmp_path: Path, packed: bool) -> None:
    raw = "\n".join(json.dumps(pair) for pair in PAIRS).encode()
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(gzip.compress(raw) if packed else raw)
    arguments = ["evaluate", "--grounding", str(file), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["metrics"]["balanced_accuracy"] == report["metrics"]["balanced_accuracy_a"] == 1
    assert "| a | 2 | 1.000 |" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def test_balanced_accuracy_by_hand() -> None:
    pairs = [Pair("a", "x", "y", supported) for supported in (True, True, True, False)]
    figures = measure(pairs, np.array([0.9, 0.2, 0.9, 0.7]), 0.6)
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-4)
    assert figures["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert "precision" not in measure(pairs, np.zeros(4), 0.6)


DAMAGED = gzip.compress(b"x" * 99)[:-12] + b"\xff" * 9
ONE_KIND = b'{"source": "a", "evidence": "x", "claim": "y", "supported": true}\n' * 2
SAID = ONE_KIND.replace(b"true", b'"false"', 1)


def test_pairs_of_one_kind_measure_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(ONE_KIND)
    with pytest.raises(InvalidDataset, match="one kind"):
        evaluate_grounding(tmp_path / "x", tmp_path / "out", sample=None, seed=13)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bno", b'{"source": "a"}', b"[1]", b"\xff\xfe", DAMAGED, SAID])
def test_what_is_no_file_of_pairs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidDataset):
        load_pairs(tmp_path / "x")
