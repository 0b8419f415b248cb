#!/usr/bin/env python3
"""Train the support model on claims made from a SQuAD 1.1 file and on judged pairs, and export it for the service.

The same command goes on where an earlier one was stopped, by Ctrl-C or by a crash. One CPU core sees about 35 pairs a
second; a GPU is used when there is one.

    python scripts/train_support.py --squad train-v1.1.json --grounding dev.jsonl.gz --run .qa/support-run --minutes 90

It begins with the shipped reader's trunk, which is all-MiniLM-L6-v2 after training on SQuAD; --init minilm begins with
all-MiniLM-L6-v2 itself, --init qa/models/support/model.onnx goes on from the shipped model. The folder of the run then
holds the checkpoint, which is a sentence-transformers CrossEncoder, model.onnx and report.json. Calibrate and measure
it with scripts/calibrate_support.py.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from sklearn.metrics import balanced_accuracy_score

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from index.embed import MiniLM
from qa.read import MODEL_DIR, onnx_reader, untruncated
from training.claims import ClaimMaker, Label
from training.corpus import load_squad
from training.examples import Maker
from training.export import export, restore
from training.grounding import load_grounding, narrow_all, part_of
from training.support import SupportRecipe, Twins, probabilities, train
from training.trunk import freeze, trunk_folder, word_vectors
from training.written import as_claims, load_claims, load_questions, written_pair

MIX = {
    "said": 0.26,
    "told": 0.05,
    "consistent": 0.08,
    "elsewhere": 0.03,
    "cut": 0.04,
    "swapped": 0.08,
    "other_passage": 0.03,
    "related": 0.05,
    "asked_roles": 0.06,
    "asked_opposite": 0.05,
    "other_answer": 0.09,
    "misread": 0.14,
    "number": 0.02,
    "name": 0.02,
    "opposite": 0.04,
    "negated": 0.06,
    "exchanged": 0.07,
    "passive": 0.10,
    "hedged": 0.08,
    "limited": 0.06,
    "reported": 0.02,
    "conditional": 0.02,
    "merged": 0.05,
    "added": 0.05,
    "quantified": 0.06,
    "undisclosed": 0.03,
}
"""How often each kind of pair is drawn (see training/claims.py); those that rarely fit are drawn more often."""

CHECKED = 1000
"""Written claims that the report is made of: a minute's work."""
HELD_OUT = 12
"""Articles that are kept out of training, to follow it by."""


def main() -> None:
    """Load, train, check, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 1.1 training file, plain or gzipped")
    parser.add_argument("--grounding", type=Path, required=True, help="judged pairs, JSON lines, plain or gzipped")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint, made when missing")
    parser.add_argument("--init", default="reader", help="reader (the default), minilm, a model.onnx or a folder")
    parser.add_argument("--examples", type=int, default=200_000, help="pairs to see (default 200,000)")
    parser.add_argument("--minutes", type=float, help="end after this long at the latest (default: no limit)")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--judged", type=float, default=0.15, help="share of judged pairs (default 0.15)")
    parser.add_argument("--written", type=float, default=0.4, help="share of written claims (default 0.4)")
    parser.add_argument("--asked", type=float, default=0.2, help="share of written questions (default 0.2)")
    parser.add_argument("--without", action="append", default=[], choices=sorted(MIX), help="leave a kind out")
    parser.add_argument("--frozen", type=int, default=0, help="leave embeddings and first layers as they are: how many")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args()

    import torch
    from tokenizers import Tokenizer
    from transformers import BertForSequenceClassification

    torch.manual_seed(options.seed)  # the last layer begins at random
    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    onnx = MODEL_DIR / "model.onnx" if options.init == "reader" else Path(options.init)
    folder = trunk_folder() if options.init == "minilm" or onnx.is_file() else onnx
    model = BertForSequenceClassification.from_pretrained(
        folder,
        attn_implementation="eager",
        dtype=torch.float32,
        id2label={int(label): label.name for label in Label if label != Label.UNSUPPORTED},
        label2id={label.name: int(label) for label in Label if label != Label.UNSUPPORTED},
    )
    freeze(model, options.frozen)
    if onnx.is_file():
        model.load_state_dict(
            {k: v for k, v in restore(onnx).items() if k.startswith(("bert.", "classifier."))}, strict=False
        )
    rows = load_grounding(options.grounding)
    parts = {
        part: narrow_all([r for r in rows if part_of(r) == part], MiniLM(), tokenizer) for part in ("train", "choose")
    }
    articles = load_squad(options.squad)
    random.Random(options.seed).shuffle(articles)
    held_out, articles = articles[:HELD_OUT], articles[HELD_OUT:]
    questions = [question for article in articles for question in article.questions]
    reader = onnx_reader(threads=1)
    maker = ClaimMaker(Maker(articles, *word_vectors(model, tokenizer, questions)), reader)
    recipe = SupportRecipe(
        examples=options.examples,
        mix={kind: share for kind, share in MIX.items() if kind not in options.without},
        init=options.init,
        seed=options.seed,
        learning_rate=options.learning_rate,
        judged=options.judged,
        written=options.written,
        asked=options.asked,
    )
    judged = list(by_source(parts["train"]).values())
    written, checked = load_claims(articles)
    random.Random(options.seed).shuffle(checked)
    twins, asked = Twins(written), Twins(as_claims(load_questions(articles)[0]))
    try:
        seen = train(model, tokenizer, maker, questions, judged, twins, asked, recipe, options.run, options.minutes)
    except KeyboardInterrupt:
        sys.exit(f"\nstopped; the same command goes on from the last checkpoint in {options.run}")
    model.save_pretrained(options.run / "checkpoint")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (trunk_folder() / name).exists():
            (options.run / "checkpoint" / name).write_bytes((trunk_folder() / name).read_bytes())
    made = made_of(maker, held_out, options.seed)
    report = {
        "made": check(model, tokenizer, made),
        "judged": check(model, tokenizer, by_source(parts["choose"])),
        "written": check(model, tokenizer, of_written(checked[:CHECKED], options.seed)),
    }
    record = {**asdict(recipe), **seen, "held_out": report}
    (options.run / "report.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    export(model, options.run / "model.onnx")
    print(json.dumps(record, indent=2))


def by_source(pairs):  # type: ignore[no-untyped-def]
    """FoolMeTwice, WiCE and SummEdits, whose domains count as one."""
    found = defaultdict(list)
    for pair in pairs:
        found[pair.kind.split("-")[0]].append(pair)
    return found


def of_written(checked, seed):  # type: ignore[no-untyped-def]
    """Pairs of written claims, by kind."""
    rng, found = random.Random(seed), defaultdict(list)
    for item in checked:
        found[item.kind].append(written_pair(rng, item))
    return found


def made_of(maker, articles, seed):  # type: ignore[no-untyped-def]
    """Pairs of each kind from articles that are not trained on."""
    rng = random.Random(seed)
    questions = [question for article in articles for question in article.questions]
    rng.shuffle(questions)
    made = defaultdict(list)
    for question in questions[:600]:
        for kind in maker.kinds:
            pair = maker.make(rng, question, kind)
            if pair and len(made[kind]) < 100:
                made[kind].append(pair)
    return made


def check(model, tokenizer, pairs_by_kind):  # type: ignore[no-untyped-def]
    """Share told right with a threshold of one half, balanced where a kind has both."""
    report = {}
    for kind, pairs in pairs_by_kind.items():
        supported = probabilities(model, tokenizer, pairs)[:, 0].numpy() >= 0.5
        truth = [pair.label == Label.SUPPORTED for pair in pairs]
        if len(set(truth)) == 1:
            report[kind] = round(float((supported == truth).mean()), 3)
        else:
            report[kind] = round(float(balanced_accuracy_score(truth, supported)), 3)
    return report


if __name__ == "__main__":
    main()
