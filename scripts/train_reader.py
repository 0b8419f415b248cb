#!/usr/bin/env python3
"""Train the reader on a SQuAD 1.1 file, with near misses made from it, and export it for the service.

The same command goes on where an earlier one was stopped, by Ctrl-C or by a crash. On two CPU cores about 45 examples
a second are seen; a GPU is used when there is one.

    python scripts/train_reader.py --squad train-v1.1.json --run .qa/reader-run --minutes 90
    python scripts/train_reader.py --squad train-v1.1.json --run .qa/reader-run --init qa/models/reader/model.onnx

By default it begins with the embedder's weights; --init goes on from a reader, the shipped one included. From an MPNet
(all-mpnet-base-v2, say) it makes a larger reader, too large to ship, that can be the --teacher of a small one.
The folder of the run then holds the checkpoint, model.onnx and report.json. Look at it with scripts/measure_reader.py,
calibrate it with scripts/calibrate_reader.py, ask with it by QA_READER=FOLDER.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from qa.read import MODEL_DIR, untruncated
from training.corpus import load_squad
from training.examples import Example, Maker
from training.export import export, restore
from training.reader import ReaderRecipe, scores, train
from training.trunk import MPNET_PIECES, freeze, in_berts_pieces, trunk_folder, word_vectors
from training.written import load_questions

MIX = {
    "plain": 0.38,
    "consistent": 0.07,
    "yes_no": 0.05,
    "undisclosed": 0.06,
    "neighbour": 0.13,
    "cut": 0.08,
    "swapped_question": 0.09,
    "swapped_passage": 0.05,
    "antonym": 0.05,
    "negation": 0.02,
    "related": 0.06,
    "roles": 0.10,
    "wh": 0.08,
}
"""How often each kind of example is drawn (see training/examples.py)."""

CHECKED = 400
"""Written questions that the report is made of, each with its near misses: a minute's work."""
HELD_OUT = 12
"""Articles that are kept out of training, to follow it by."""


def main() -> None:
    """Load, train, check, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 1.1 training file, plain or gzipped")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint, made when missing")
    parser.add_argument("--init", type=Path, help="start from this checkpoint folder or exported model.onnx")
    parser.add_argument("--examples", type=int, default=200_000, help="examples to see (default 200,000)")
    parser.add_argument("--minutes", type=float, help="end after this long at the latest (default: no limit)")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--without", action="append", default=[], choices=sorted(MIX), help="leave a kind out")
    parser.add_argument("--contested", type=float, default=0.3, help="share of questions with rivals (default 0.3)")
    parser.add_argument("--written", type=float, default=0.4, help="share of written questions (default 0.4)")
    parser.add_argument("--teacher", type=Path, help="checkpoint folder of a larger reader to learn from, too")
    parser.add_argument("--frozen", type=int, default=0, help="leave embeddings and first layers as they are: how many")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args()

    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForQuestionAnswering

    torch.manual_seed(options.seed)  # the answer layer begins at random
    exported = options.init if options.init and options.init.suffix == ".onnx" else None
    init = trunk_folder() if exported or not options.init else options.init
    model = AutoModelForQuestionAnswering.from_pretrained(init, attn_implementation="eager", dtype=torch.float32)
    if model.config.model_type == "mpnet" and model.config.vocab_size == MPNET_PIECES:
        in_berts_pieces(model)
    freeze(model, options.frozen)
    if exported:
        model.load_state_dict(restore(exported))
    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    articles = load_squad(options.squad)
    random.Random(options.seed).shuffle(articles)
    held_out, articles = articles[:HELD_OUT], articles[HELD_OUT:]
    questions = [question for article in articles for question in article.questions]
    written, checked = load_questions(articles)
    maker = Maker(articles, *word_vectors(model, tokenizer, questions))
    recipe = ReaderRecipe(
        examples=options.examples,
        mix={kind: share for kind, share in MIX.items() if kind not in options.without},
        init=options.init.name if options.init else "all-MiniLM-L6-v2",
        seed=options.seed,
        learning_rate=options.learning_rate,
        contested=options.contested,
        written=options.written,
        teacher=str(options.teacher or ""),
    )
    teacher = options.teacher and AutoModelForQuestionAnswering.from_pretrained(
        options.teacher, attn_implementation="eager"
    )
    try:
        seen = train(model, tokenizer, maker, questions, written, recipe, options.run, options.minutes, teacher)
    except KeyboardInterrupt:
        sys.exit(f"\nstopped; the same command goes on from the last checkpoint in {options.run}")
    model.save_pretrained(options.run / "checkpoint")
    checked = random.Random(options.seed).sample(checked, min(len(checked), CHECKED))
    held_out_score = check(model, tokenizer, maker, held_out, options.seed) | check_written(model, tokenizer, checked)
    record = {**asdict(recipe), **seen, "held_out": held_out_score}
    (options.run / "report.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if model.config.model_type == "bert":
        export(model, options.run / "model.onnx")
    for folder in (options.run, options.run / "checkpoint"):  # QA_READER can then name either
        shutil.copy(MODEL_DIR / "tokenizer.json", folder)
    print(json.dumps(record, indent=2))


def check(model, tokenizer, maker, articles, seed):  # type: ignore[no-untyped-def]
    """On articles never trained on: AUROC of plain questions against each kind of near miss, and hits of each kind."""
    rng = random.Random(seed)
    questions = [question for article in articles for question in article.questions]
    rng.shuffle(questions)
    made = defaultdict(list)
    for question in questions[:400]:
        for kind in maker.kinds:
            example = maker.make(rng, question, kind)
            if example:
                made[kind].append(example)
    found = {kind: scores(model, tokenizer, examples[:250]) for kind, examples in made.items()}
    report = {}
    for kind, examples in made.items():
        answers = [e.answer is not None for e in examples[:250]]
        if all(answers):
            report[f"{kind}_hit"] = round(sum(hit for _, hit in found[kind]) / len(answers), 4)
        else:
            against = [s for (s, _), a in zip(found[kind], answers, strict=True) if not a]
            plain = [s for s, _ in found["plain"]]
            labels = [1] * len(plain) + [0] * len(against)
            report[f"{kind}_auroc"] = round(float(roc_auc_score(labels, plain + against)), 4)
    return report


def check_written(model, tokenizer, written):  # type: ignore[no-untyped-def]
    """On written questions never trained on: AUROC against near misses, hits, how often one is above all its own."""
    asked = [Example("written", a.question.text, a.question.paragraph.text, a.question.answer) for a in written]
    near = [Example("near", text, a.question.paragraph.text, None) for a in written for text in a.near]
    right, wrong = (scores(model, tokenizer, examples) for examples in (asked, near))
    best = {}
    twins = [item for item in written for _ in item.near]
    for item, (score, _) in zip(twins, wrong, strict=True):
        best[id(item)] = max(score, best.get(id(item), score))
    against = [score > best[id(item)] for item, (score, _) in zip(written, right, strict=True) if item.near]
    labels, found = [1] * len(right) + [0] * len(wrong), [score for score, _ in right + wrong]
    return {
        "written_hit": round(sum(hit for _, hit in right) / len(right), 4),
        "written_auroc": round(float(roc_auc_score(labels, found)), 4),
        "written_above_its_near_misses": round(sum(against) / len(against), 4),
    }


if __name__ == "__main__":
    main()
