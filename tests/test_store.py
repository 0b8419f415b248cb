"""The contract every `Index` keeps, and what is particular to the local one: generations, crashes, two writers."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.catalog import put_document
from index.chunk import chunk_text
from index.errors import (
    CatalogUnreadable,
    CollectionMissing,
    CollectionName,
    DocumentGone,
    DocumentMissing,
    EmbedderMismatch,
    IngestBusy,
    StorageFull,
)
from index.store import ChunkedDocument, Collections, Index, LocalIndex
from index.types import Document, content_hash
from tests.fakes import FakeEmbedder

EMBEDDER = FakeEmbedder()


def put(index: Index, texts: dict[str, str], remove: list[str] | None = None) -> int:
    """Add documents by URI, as an ingest would."""
    items = []
    for uri, text in texts.items():
        document = Document(uri, uri.title(), text, f"/source/{uri}")
        items.append(ChunkedDocument(document, tuple(chunk_text(text, EMBEDDER.count_tokens))))
    chunks = [item.document.text[c.start : c.end] for item in items for c in item.chunks]
    index.save_vectors(EMBEDDER.name, {content_hash(t): EMBEDDER.embed_query(t) for t in chunks})
    return index.commit(items, remove or [], embedder=EMBEDDER.name, dim=EMBEDDER.dim, chunker="test")


def ids(index: Index) -> dict[str, str]:
    with index.snapshot() as snapshot:
        return {document.uri: document.id for document in snapshot.documents()}


@pytest.fixture(params=["exact", "quantised"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> LocalIndex:
    return LocalIndex(tmp_path / "default", exact_limit=0 if request.param == "quantised" else 50_000)


def dense(index: Index, question: str, k: int = 5) -> list[str]:
    with index.snapshot(EMBEDDER.name) as snapshot:
        return [p.text for p in snapshot.passages([i for i, _ in snapshot.dense(EMBEDDER.embed_query(question), k)])]


def lexical(index: Index, question: str, k: int = 5) -> list[str]:
    with index.snapshot(EMBEDDER.name) as snapshot:
        return [p.text for p in snapshot.passages([i for i, _ in snapshot.lexical(question, k)])]


# -- the contract ----------------------------------------------------------------------------------------------------


def test_what_was_added_is_found_by_both_searches(index: Index) -> None:
    put(index, {"tea": "Tea is served at four.", "dogs": "Dogs are welcome.", "books": "Books are lent for a month."})
    assert dense(index, "When is tea served?")[0] == "Tea is served at four."
    assert lexical(index, "When is tea served?") == ["Tea is served at four."]


def test_what_was_removed_is_found_by_neither(index: Index) -> None:
    put(index, {"tea": "Tea is served at four.", "dogs": "Dogs are welcome."})
    put(index, {}, remove=[ids(index)["tea"]])
    assert "Tea is served at four." not in dense(index, "tea served")
    assert lexical(index, "tea served") == []


def test_a_new_version_replaces_the_old_one_in_the_searches_and_keeps_its_text(index: Index) -> None:
    put(index, {"tea": "Tea is served at four."})
    document_id = ids(index)["tea"]
    put(index, {"tea": "Tea is served at five."})
    assert dense(index, "tea") == lexical(index, "tea") == ["Tea is served at five."]
    with index.snapshot() as snapshot:
        old = snapshot.document(document_id, content_hash("Tea is served at four."))
        new = snapshot.document(document_id)
    assert (old.text, old.current, old.generation) == ("Tea is served at four.", False, 1)
    assert (new.text, new.current, new.generation) == ("Tea is served at five.", True, 2)


def test_a_version_that_comes_back_is_current_again(index: Index) -> None:
    for hour in ("four", "five", "four"):
        put(index, {"tea": f"Tea is served at {hour}."})
    assert lexical(index, "tea") == ["Tea is served at four."]


def test_a_deleted_document_is_gone_with_all_its_versions(index: Index) -> None:
    put(index, {"tea": "Tea is served at four.", "dogs": "Dogs are welcome."})
    document_id = ids(index)["tea"]
    put(index, {"tea": "Tea is served at five."})
    put(index, {}, remove=[document_id])
    with index.snapshot() as snapshot:
        for version in (None, content_hash("Tea is served at four.")):
            with pytest.raises(DocumentGone):
                snapshot.document(document_id, version)
    put(index, {"tea": "Tea is served at six."})
    with index.snapshot() as snapshot:
        assert snapshot.document(document_id).text == "Tea is served at six."
        with pytest.raises(DocumentGone):
            snapshot.document(document_id, content_hash("Tea is served at four."))


def test_what_was_never_there_is_missing(index: Index) -> None:
    with pytest.raises(CollectionMissing), index.snapshot():
        pass
    put(index, {"tea": "Tea is served at four."})
    with index.snapshot() as snapshot:
        with pytest.raises(DocumentMissing):
            snapshot.document("doc_0000000000000000")
        with pytest.raises(DocumentMissing):
            snapshot.document(ids(index)["tea"], "0" * 32)


def test_another_embedder_is_refused_with_the_command_that_rebuilds(index: Index) -> None:
    put(index, {"tea": "Tea is served at four."})
    with pytest.raises(EmbedderMismatch) as caught, index.snapshot("another"):
        pass
    assert "qa ingest --rebuild" in caught.value.help


def test_a_snapshot_does_not_see_what_is_committed_while_it_is_open(index: Index) -> None:
    put(index, {"tea": "Tea is served at four."})
    with index.snapshot(EMBEDDER.name) as before:
        put(index, {"tea": "Tea is served at five.", "dogs": "Dogs are welcome."})
        assert before.stats().generation == 1
        hits = before.dense(EMBEDDER.embed_query("tea"), 5)
        assert [p.text for p in before.passages([i for i, _ in hits])] == ["Tea is served at four."]
        assert [p.text for p in before.passages([i for i, _ in before.lexical("tea dogs", 5)])] == [
            "Tea is served at four."
        ]
    assert set(dense(index, "tea dogs")) == {"Tea is served at five.", "Dogs are welcome."}


def test_asking_for_more_than_there_is_gives_what_there_is(index: Index) -> None:
    put(index, {"tea": "Tea is served at four."})
    assert len(dense(index, "tea", k=1000)) == 1
    put(index, {}, remove=[ids(index)["tea"]])
    assert dense(index, "tea") == lexical(index, "tea") == []


HOSTILE = [
    "'",
    '"',
    "$",
    "AND",
    "NOT tea",
    "US-China",
    "tea*",
    "(tea",
    "NEAR(tea, 2)",
    "text: tea",
    "^tea",
    "té",
    "🍵",
    "  ",
]


@pytest.mark.parametrize("question", HOSTILE)
def test_a_question_is_never_query_syntax(index: Index, question: str) -> None:
    put(index, {"tea": "Tea is served at four."})
    lexical(index, question)


@given(question=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
@settings(max_examples=100)
def test_no_question_breaks_the_lexical_search(tmp_path_factory: pytest.TempPathFactory, question: str) -> None:
    index = LocalIndex(tmp_path_factory.getbasetemp() / "hostile")
    if not index.exists():
        put(index, {"tea": "Tea is served at four. Don't say AND."})
    lexical(index, question)


def test_equal_vectors_keep_their_order(index: Index) -> None:
    put(index, {str(i): "The same words." for i in range(20)})
    with index.snapshot() as snapshot:
        hits = snapshot.dense(EMBEDDER.embed_query("same words"), 20)
    assert [i for i, _ in hits] == sorted(i for i, _ in hits)
    assert all(score == pytest.approx(hits[0][1]) for _, score in hits)


def test_scores_are_cosines(index: Index) -> None:
    put(index, {"tea": "Tea is served at four.", "dogs": "Dogs are welcome."})
    with index.snapshot() as snapshot:
        for i, score in snapshot.dense(EMBEDDER.embed_query("Tea at four"), 2):
            text = snapshot.passages([i])[0].text
            assert score == pytest.approx(
                float(EMBEDDER.embed_query("Tea at four") @ EMBEDDER.embed_query(text)), abs=0.02
            )


# -- the local index: derived files, crashes, writers ----------------------------------------------------------------


def faiss_files(index: LocalIndex) -> list[Path]:
    return sorted(index.folder.glob("vectors-*"))


def test_only_the_newest_generation_keeps_a_faiss_file(index: LocalIndex) -> None:
    put(index, {"tea": "Tea is served at four."})
    first = faiss_files(index)
    put(index, {"tea": "Tea is served at five."})
    assert len(first) == len(faiss_files(index)) == 1
    assert faiss_files(index) != first


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "stale"])
def test_a_faiss_file_that_cannot_be_used_is_made_again_from_the_catalogue(index: LocalIndex, damage: str) -> None:
    put(index, {"tea": "Tea is served at four."})
    old = faiss_files(index)[0].read_bytes()
    put(index, {"tea": "Tea is served at five.", "dogs": "Dogs are welcome."})
    path = faiss_files(index)[0]
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": path.read_bytes()[:-40], "stale": b"not an index" + old}[damage])
    reopened = LocalIndex(index.folder)
    assert dense(reopened, "When is tea served?")[0] == "Tea is served at five."


def test_opening_and_asking_write_nothing(index: LocalIndex) -> None:
    put(index, {"tea": "Tea is served at four."})
    faiss_files(index)[0].unlink()
    before = {p.name: p.stat().st_mtime_ns for p in index.folder.iterdir() if not p.name.endswith("-shm")}
    dense(LocalIndex(index.folder), "tea")
    after = {p.name: p.stat().st_mtime_ns for p in index.folder.iterdir() if not p.name.endswith("-shm")}
    assert {n: t for n, t in after.items() if not n.endswith("-wal")} == {
        n: t for n, t in before.items() if not n.endswith("-wal")
    }


def test_repair_writes_a_missing_faiss_file(index: LocalIndex) -> None:
    put(index, {"tea": "Tea is served at four."})
    faiss_files(index)[0].unlink()
    index.repair()
    assert len(faiss_files(index)) == 1


def test_a_crash_inside_a_commit_leaves_the_last_generation(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    put(index, {"tea": "Tea is served at four."})

    def crash(*args: object) -> None:
        put_document(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("index.catalog.put_document", crash)
        with pytest.raises(KeyboardInterrupt):
            put(index, {"tea": "Tea is served at five."})
    reopened = LocalIndex(index.folder)
    assert dense(reopened, "tea") == lexical(reopened, "tea") == ["Tea is served at four."]
    assert put(reopened, {"tea": "Tea is served at five."}) == 2


def test_a_crash_between_the_commit_and_the_faiss_file_loses_nothing(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(index, {"tea": "Tea is served at four."})
    with monkeypatch.context() as patch:
        patch.setattr(LocalIndex, "repair", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            put(index, {"tea": "Tea is served at five."})
    assert dense(LocalIndex(index.folder), "tea") == ["Tea is served at five."]


def test_a_full_disk_is_an_error_that_changes_nothing(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    put(index, {"tea": "Tea is served at four."})
    connect = sqlite3.connect

    def on_a_full_disk(*args: object, **kwargs: object) -> sqlite3.Connection:
        db = connect(*args, **kwargs)  # type: ignore[call-overload]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
        return db  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr("index.catalog.sqlite3.connect", on_a_full_disk)
        with pytest.raises(StorageFull) as caught:
            put(index, {"long": "Many words stand here. " * 5000})
    assert "Nothing was changed" in caught.value.help
    assert dense(LocalIndex(index.folder), "tea") == ["Tea is served at four."]


def test_a_damaged_catalogue_is_told_with_what_to_do(index: LocalIndex) -> None:
    put(index, {"tea": "Tea is served at four."})
    for file in index.folder.glob("catalog.sqlite*"):
        file.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(CatalogUnreadable) as caught, index.snapshot():
        pass
    assert "ingest" in caught.value.help


def test_a_catalogue_of_a_newer_release_is_refused(index: LocalIndex) -> None:
    put(index, {"tea": "Tea is served at four."})
    with sqlite3.connect(index.folder / "catalog.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(CatalogUnreadable, match="99"), index.snapshot():
        pass


def test_a_deleted_text_leaves_the_files(index: LocalIndex) -> None:
    put(index, {"secret": "The password is xyzzyplugh.", "tea": "Tea is served at four."})
    put(index, {}, remove=[ids(index)["secret"]])
    db = sqlite3.connect(index.folder / "catalog.sqlite")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    for file in index.folder.iterdir():
        assert b"xyzzyplugh" not in file.read_bytes()


def _hold(folder: Path, held: object, release: object) -> None:
    with LocalIndex(folder).lock():
        held.set()  # type: ignore[attr-defined]
        release.wait(30)  # type: ignore[attr-defined]


def test_a_second_writer_waits_and_is_told_when_it_takes_too_long(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "default", held, release))
    other.start()
    assert held.wait(60)
    waited: list[bool] = []
    index = LocalIndex(tmp_path / "default", lock_timeout=0.2)
    with pytest.raises(IngestBusy), index.lock(lambda: waited.append(True)):
        pass
    assert waited == [True]
    release.set()
    other.join(30)
    with index.lock():
        pass


def test_asking_while_ingesting_always_reads_one_whole_generation(tmp_path: Path) -> None:
    index = LocalIndex(tmp_path / "default")
    put(index, {"a": "Tea round 0.", "b": "Dogs round 0."})
    stop, torn = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            with index.snapshot(EMBEDDER.name) as snapshot:
                hits = snapshot.dense(EMBEDDER.embed_query("Tea dogs round"), 5)
                texts = [p.text for p in snapshot.passages([i for i, _ in hits])]
            if len({text.split()[-1] for text in texts}) != 1 or len(texts) != 2:
                torn.append(texts)

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 12):
        put(index, {"a": f"Tea round {number}.", "b": f"Dogs round {number}."})
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


# -- collections -------------------------------------------------------------------------------------------------------


def test_collections_share_nothing(tmp_path: Path) -> None:
    collections = Collections(tmp_path)
    put(collections.get("one"), {"tea": "Tea is served at four."})
    put(collections.get("two"), {"dogs": "Dogs are welcome."})
    assert collections.names() == ["one", "two"]
    assert dense(collections.get("one"), "dogs") == ["Tea is served at four."]


@pytest.mark.parametrize("name", ["", "..", "../default", "a/b", "Default", "a" * 65, "-a", "ü", "a\0b", "a b", "a\n"])
def test_a_name_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(CollectionName):
        Collections(tmp_path).get(name)


def test_large_collections_are_searched_well(tmp_path: Path) -> None:
    """The quantised search finds what the exact one finds, on vectors with some structure."""
    from index import vectors

    rng = np.random.default_rng(5)
    centres = rng.normal(size=(60, 64))
    matrix = (centres[rng.integers(0, 60, 6000)] + 0.5 * rng.normal(size=(6000, 64))).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    keys = np.arange(6000, dtype=np.int64) + 7
    exact, quantised = vectors.build(keys, matrix), vectors.build(keys, matrix, exact_limit=0)
    recall = np.mean(
        [
            len({i for i, _ in vectors.search(exact, q, 10)} & {i for i, _ in vectors.search(quantised, q, 10)}) / 10
            for q in matrix[:100]
        ]
    )
    assert recall > 0.9
