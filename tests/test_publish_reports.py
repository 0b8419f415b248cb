"""Reports on their way into the documentation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from qa.evaluation.grounding import evaluate_grounding
from qa.evaluation.run import Options, evaluate
from scripts.publish_reports import main

DATA = Path(__file__).parent / "data"


def test_ours_go_with_their_questions_and_others_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_LLM", "none")
    article, squad, pairs = (tmp_path / name for name in ("article", "squad", "pairs"))
    evaluate(Options(DATA / "article_dev.jsonl", article, documents=DATA.parent.parent / "seeds", sample=3))
    evaluate(Options(DATA / "squad" / "sample.json", squad, sample=3))
    lines = [
        {"source": "a", "evidence": "It opens at nine.", "claim": "It opens at nine.", "supported": True},
        {"source": "a", "evidence": "It opens at nine.", "claim": "The sea is blue.", "supported": False},
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    evaluate_grounding(tmp_path / "pairs.jsonl", pairs, sample=None, seed=1)
    docs = tmp_path / "docs"
    monkeypatch.setattr(sys, "argv", ["publish", str(article), str(squad), str(pairs), "--to", str(docs)])
    main()
    assert len(json.loads((docs / "article.json").read_text(encoding="utf-8"))["questions"]) == 3
    assert json.loads((docs / "squad.json").read_text(encoding="utf-8"))["questions"] == []
    table = (docs / "README.md").read_text(encoding="utf-8")
    assert "| [article](article.md) | 3 |" in table
    assert "The verifier on 2 [pairs" in table
    assert (docs / "squad.md").read_bytes() == (squad / "report.md").read_bytes()
