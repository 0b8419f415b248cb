"""Training: the examples say what their labels say, and a run goes on where it was stopped."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from qa.read import MODEL_DIR, onnx_reader, untruncated
from training.corpus import Article, load_squad, normal
from training.examples import Example, Maker, related_words, withheld
from training.export import average, export, restore
from training.written import Asked

BRIDGES = (
    "The Alder Bridge was built in 1871 by Ada Byrne for the town of Alder. It is larger than the Rye Bridge, which "
    "Per Lund built in 1902. Ada Byrne asked Tom Hale to design the gates. The gates are "
    "painted red because iron rusts."
)
TRADE = (
    "In 1950 Alder exported 12,000 tons of rye to Brae. Brae bought 4,000 tons of oats in March. The Harbour Company "
    "has owned the boats since 1960. Nina Voss won the first prize in Brae on Monday."
)
FERRY = "The ferry to Rye Island leaves from there. It closed in 1990. Per Lund is the captain of the old ferry."
QUESTIONS = {
    BRIDGES: [
        ("When was the Alder Bridge built?", "1871"),
        ("Who built the Rye Bridge?", "Per Lund"),
        ("Where was the Alder Bridge built?", "the town of Alder"),
        ("Which bridge is larger than the Rye Bridge?", "The Alder Bridge"),
        ("Whom did Ada Byrne ask to design the gates for Alder?", "Tom Hale"),
    ],
    TRADE: [
        ("How many tons of rye did Alder export to Brae in 1950?", "12,000"),
        ("Who won the first prize in Brae on Monday?", "Nina Voss"),
        ("What has the Harbour Company owned since 1960?", "the boats"),
    ],
    FERRY: [
        ("When was the ferry to Rye Island closed?", "1990"),
        ("In what year was the ferry closed?", "1990"),
        ("Who is the captain of the old ferry?", "Per Lund"),
    ],
}


@pytest.fixture(scope="module")
def squad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paragraphs = [
        {
            "context": text,
            "qas": [
                {"question": q, "answers": [{"text": a, "answer_start": text.index(a)}], "id": q} for q, a in asked
            ],
        }
        for text, asked in QUESTIONS.items()
    ]
    path = tmp_path_factory.mktemp("squad") / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Alder", "paragraphs": paragraphs}]}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def articles(squad: Path) -> list[Article]:
    return load_squad(squad)


@pytest.fixture(scope="module")
def maker(articles: list[Article]) -> Maker:
    words = ["built", "designed", "closed", "larger", "painted", "island"]
    return Maker(articles, words, np.random.default_rng(1).normal(size=(len(words), 8)).astype(np.float32))


def drawn(maker: Maker, articles: list[Article], kind: str) -> list[tuple[Any, Example]]:
    rng = random.Random(7)
    made = [(q, maker.make(rng, q, kind)) for _ in range(60) for a in articles for q in a.questions]
    return [(question, example) for question, example in made if example]


ANSWERED = {"plain", "consistent"}
EITHER = {"yes_no", "undisclosed"}


def test_every_kind_of_example_can_be_made(maker: Maker, articles: list[Article]) -> None:
    silent = {kind for kind in maker.kinds if not drawn(maker, articles, kind)}
    assert silent <= {"related"}  # needs real word vectors; tested by itself


def test_an_answer_is_the_gold_words_where_they_stand(maker: Maker, articles: list[Article]) -> None:
    for kind in ANSWERED:
        for question, example in drawn(maker, articles, kind):
            assert example.answer is not None
            assert example.answer.of(example.passage) == question.answer.of(question.paragraph.text)


def test_a_near_miss_has_no_answer_and_a_cut_passage_lacks_it(maker: Maker, articles: list[Article]) -> None:
    for kind in set(maker.kinds) - ANSWERED - EITHER:
        assert all(example.answer is None for _, example in drawn(maker, articles, kind))
    for kind in ("neighbour", "cut"):
        for question, example in drawn(maker, articles, kind):
            assert normal(question.answer.of(question.paragraph.text)) not in normal(example.passage)


def test_a_changed_question_differs_in_more_than_its_style(maker: Maker, articles: list[Article]) -> None:
    for kind in ("swapped_question", "antonym", "roles", "wh", "negation"):
        for question, example in drawn(maker, articles, kind):
            assert sorted(normal(example.question).split()) != sorted(normal(question.text).split()) or kind == "roles"


def test_what_is_not_disclosed_is_the_answer_where_a_document_says_so(maker: Maker, articles: list[Article]) -> None:
    made = drawn(maker, articles, "undisclosed")
    assert 0 < sum(example.answer is None for _, example in made) < len(made)
    for question, example in made:
        if example.answer is not None:
            assert re.search(r"\b(not|declined|un\w+|secret|open)\b", example.answer.of(example.passage))
        assert normal(question.answer.of(question.paragraph.text)) not in normal(example.passage)


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("How tall is the tower?", "the height of the tower"),
        ("How much are the two deals worth?", "the value of the two deals"),
        ("How much did the bridge cost?", "of the bridge"),
        ("What was the name of the boat?", "the name of the boat"),
        ("When did the ferry close?", "when did the ferry close"),
    ],
)
def test_a_sentence_that_withholds_an_answer_names_the_thing(question: str, thing: str) -> None:
    for seed in range(20):
        told = withheld(random.Random(seed), question)
        assert told is not None
        assert thing in told[0][0].lower() + told[0][1:]
        assert told[1] in told[0]


def test_the_same_seed_makes_the_same_examples(maker: Maker, articles: list[Article]) -> None:
    questions = [q for a in articles for q in a.questions] * 5
    mix = dict.fromkeys(maker.kinds, 1.0)
    one, other = (list(maker.stream(random.Random(3), questions, mix)) for _ in range(2))
    assert one == other
    assert len(one) == len(questions)
    assert all(len(group) == 1 for group in one)
    assert list(maker.stream(random.Random(4), questions, mix)) != one


def test_a_contest_is_an_answer_against_passages_and_near_misses_without_one(
    maker: Maker, articles: list[Article]
) -> None:
    mix = dict.fromkeys(maker.kinds, 1.0)
    questions = [q for a in articles for q in a.questions] * 5
    groups = list(maker.stream(random.Random(3), questions, mix, contested=1.0))
    assert len(groups) == len(questions)
    for question, (right, *rivals) in zip(questions, groups, strict=True):
        assert right.answer is not None
        assert right.answer.of(right.passage) == question.answer.of(question.paragraph.text)
        assert rivals
        assert all(rival.answer is None for rival in rivals)
        assert all(rival.question == right.question for rival in rivals if rival.kind == "neighbour")
    assert {rival.kind for _, *rivals in groups for rival in rivals} >= {"neighbour", "cut", "swapped_question"}


def test_related_words_are_near_but_no_inflections() -> None:
    vectors = np.array([[1, 0, 0], [0.35, 0.94, 0], [1, 0.01, 0], [-1, 0, 0.2], [0, -1, -1]], np.float32)
    table = related_words(["home", "family", "homes", "sea", "king"], vectors, low=0.2, high=0.6)
    assert "homes" not in table.get("home", [])


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, checkpoint: Path, maker: Maker, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import BertForQuestionAnswering

    from training import loop, reader

    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    monkeypatch.setattr(reader, "BUCKET", 8)
    monkeypatch.setattr(loop, "SAVE_EVERY", 0)
    questions = [q for a in articles for q in a.questions] * 8
    recipe = reader.ReaderRecipe(
        examples=96, mix={"plain": 1.0, "cut": 1.0}, init="tiny", warmup=1, contested=0.5, written=0.4
    )
    written = [Asked(q, ("Who swam?", "Who sank?")) for q in questions[:4]]

    def run(name: str) -> list[Any]:
        model = BertForQuestionAnswering.from_pretrained(checkpoint, attn_implementation="eager")
        seen = reader.train(model, tokenizer, maker, questions, written, recipe, tmp_path / name)
        assert recipe.examples <= seen["examples"] < recipe.examples + recipe.batch
        return [p.detach().clone() for p in model.parameters()]

    whole = run("whole")
    calls = []
    original = reader._bucket

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(reader, "_bucket", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("stopped")
    again = run("stopped")
    assert all(torch.equal(a, b) for a, b in zip(whole, again, strict=True))
    with pytest.raises(ValueError, match="another recipe"):
        reader.train(
            BertForQuestionAnswering.from_pretrained(checkpoint),
            tokenizer, maker, questions, [], reader.ReaderRecipe(examples=1, mix={}, init="x"), tmp_path / "stopped",
        )  # fmt: skip


def test_an_mpnet_is_told_berts_word_pieces() -> None:
    import torch
    from transformers import MPNetConfig, MPNetModel

    from training.trunk import MPNET_PIECES, in_berts_pieces

    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = MPNetModel(MPNetConfig(vocab_size=MPNET_PIECES, **sizes)).eval()
    pieces = (
        untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))).encode("Łódź built 12,000 bridges.").ids
    )
    theirs = [0, *(piece + 4 for piece in pieces[1:-1]), 2]
    with torch.no_grad():
        before = model(torch.tensor([theirs])).last_hidden_state
        in_berts_pieces(model)
        padded = torch.tensor([[*pieces, 0, 0]])
        after = model(padded, attention_mask=(padded > 0).long()).last_hidden_state
    assert torch.allclose(after[:, :-2], before, atol=1e-6)


def test_a_pupil_comes_to_read_like_its_teacher(
    tmp_path: Path, checkpoint: Path, maker: Maker, articles: list[Article]
) -> None:
    import torch
    from transformers import BertForQuestionAnswering

    from training import reader

    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    teacher, pupil = (BertForQuestionAnswering.from_pretrained(checkpoint, attn_implementation="eager") for _ in "12")
    torch.nn.init.normal_(teacher.qa_outputs.weight, std=1.0)
    questions = [q for a in articles for q in a.questions] * 8
    recipe = reader.ReaderRecipe(
        examples=480,
        mix={"plain": 1.0},
        init="tiny",
        teacher="x",
        warmup=1,
        contested=0.5,
        learning_rate=0.02,
        taught=1,
    )
    batch = [[reader.encode(tokenizer, maker.make(random.Random(1), q, "plain"), 256)] for q in questions[:8]]

    def apart() -> float:
        with torch.no_grad():
            return float(reader._loss(pupil.float(), batch, recipe, torch.device("cpu"), teacher.float()))

    before = apart()
    reader.train(pupil, tokenizer, maker, questions, [], recipe, tmp_path / "run", teacher=teacher)
    assert apart() < before / 2


def test_what_is_exported_reads_like_what_was_trained_and_can_be_gone_on_from(tmp_path: Path, checkpoint: Path) -> None:
    import shutil

    import torch
    from transformers import BertForQuestionAnswering

    model = BertForQuestionAnswering.from_pretrained(checkpoint, attn_implementation="eager")
    with torch.no_grad():
        for parameter in model.parameters():  # fresh ones are alike, and the exporter writes what is alike once
            parameter += 0.02 * torch.randn_like(parameter)
    folder = tmp_path / "exported"
    folder.mkdir()
    shutil.copy(MODEL_DIR / "tokenizer.json", folder)
    export(model, folder / "model.onnx")
    found = onnx_reader(folder).read("Who is the captain?", [FERRY, FERRY * 20])
    assert all(c.span.of(FERRY * 20) for c in found[1])
    assert found == onnx_reader(folder).read("Who is the captain?", [FERRY, FERRY * 20])
    restored = restore(folder / "model.onnx")
    trained = {name: value.detach() for name, value in model.named_parameters()}
    assert restored.keys() == trained.keys()
    BertForQuestionAnswering(model.config).load_state_dict(restored)  # names every weight, or raises
    for name, value in restored.items():
        assert value.shape == trained[name].shape
        steps = float(trained[name].abs().max()) / 100
        assert float((value - trained[name]).abs().max()) <= steps, name


def test_one_loud_word_piece_does_not_drown_the_others_in_int8(tmp_path: Path) -> None:
    """[CLS] is loud, and one scale for all rows leaves the rest few of its 256 steps."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from training.export import _scale_rows

    rng = np.random.default_rng(2)
    weights, rows = rng.normal(size=(64, 32)).astype(np.float32), rng.normal(size=(12, 64)).astype(np.float32)
    rows[0] *= 100

    def furthest_off(scaled: bool) -> float:
        product = helper.make_node("MatMul", ["rows", "weights"], ["out"], name="/bert/layer.0/output/dense/MatMul")
        sizes = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("rows", ["n", 64]), ("out", ["n", 32]))
        ]
        initial = [numpy_helper.from_array(weights, "weights")]
        graph = helper.make_graph([product], "one", sizes[:1], sizes[1:], initial)
        if scaled:
            _scale_rows(graph)
        paths = [tmp_path / name for name in ("float.onnx", "int8.onnx")]
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), paths[0])
        quantize_dynamic(*paths, weight_type=QuantType.QInt8, per_channel=True)
        session = onnxruntime.InferenceSession(paths[1], providers=["CPUExecutionProvider"])
        (out,) = session.run(["out"], {"rows": rows})
        return float(np.abs(out - rows @ weights)[1:].max())

    assert furthest_off(scaled=True) < 0.3
    assert furthest_off(scaled=False) > 3


def test_a_run_goes_on_from_the_shipped_reader() -> None:
    weights = restore(MODEL_DIR / "model.onnx")
    assert weights["bert.embeddings.word_embeddings.weight"].shape == (30522, 384)
    assert weights["bert.encoder.layer.5.intermediate.dense.weight"].shape == (1536, 384)


def test_an_average_lies_between_what_was_averaged(tmp_path: Path, checkpoint: Path) -> None:
    import torch
    from transformers import BertConfig, BertForQuestionAnswering

    model = BertForQuestionAnswering.from_pretrained(checkpoint)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    model.save_pretrained(tmp_path / "other")
    mean = average([checkpoint, tmp_path / "other"]).state_dict()
    for name, value in BertForQuestionAnswering.from_pretrained(checkpoint).named_parameters():
        assert torch.allclose(mean[name], value + 0.5)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForQuestionAnswering(BertConfig(**sizes)).save_pretrained(tmp_path / "smaller")
    with pytest.raises(ValueError, match="shape"):
        average([checkpoint, tmp_path / "smaller"])
