#!/usr/bin/env python3
"""Write the judged pairs of evidence and claim on which the support model was neither trained nor calibrated.

    python scripts/held_out_pairs.py pairs.jsonl.gz --output held-out.jsonl
    qa evaluate --grounding held-out.jsonl --output reports/grounding

The file of pairs is divided by document, the same way each time (training/grounding.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from training.grounding import load_grounding, part_of


def main() -> None:
    """Load, divide, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="judged pairs, JSON lines, plain or gzipped")
    parser.add_argument("--output", type=Path, required=True, help="file to write, JSON lines")
    options = parser.parse_args()
    rows = load_grounding(options.pairs)
    kept = [row for row in rows if part_of(row) == "test"]
    lines = [
        json.dumps(
            {"source": row.source, "evidence": row.evidence, "claim": row.claim, "supported": row.supported},
            ensure_ascii=False,
        )
        for row in kept
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(kept)} of {len(rows)} pairs written to {options.output}")


if __name__ == "__main__":
    main()
