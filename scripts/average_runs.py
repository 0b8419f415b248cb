#!/usr/bin/env python3
"""Average the weights of runs that began with the same network, and export the result for the service.

    python scripts/average_runs.py .qa/run-1 .qa/run-2 .qa/run-3 --output .qa/reader

Each is a folder that scripts/train_reader.py or scripts/train_support.py made. The average of several fine-tunings of
one network is often better than each (model soups: Wortsman et al. 2022, arXiv 2203.05482); networks from different
beginnings cannot be averaged. Measure what comes out, and calibrate it: scripts/calibrate_reader.py or
scripts/calibrate_support.py.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from qa.read import MODEL_DIR
from training.export import average, export


def main() -> None:
    """Load, average, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a run, with its checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="folder to write checkpoint and model.onnx to")
    options = parser.parse_args()
    model = average([run / "checkpoint" for run in options.runs])
    options.output.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(options.output / "checkpoint")
    export(model, options.output / "model.onnx")
    for folder in (options.output, options.output / "checkpoint"):  # QA_READER can then name either
        shutil.copy(MODEL_DIR / "tokenizer.json", folder)


if __name__ == "__main__":
    main()
