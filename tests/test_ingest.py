"""Ingest: only what changed, nothing lost on interruption, one file's failure is its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index.embed import Vectors
from index.errors import CollectionMissing, DocumentConflict, DocumentMissing, EmptyDocument, LoadError, NotText
from index.ingest import EMBED_BATCH, add, ingest, rebuild, remove
from index.store import LocalIndex
from index.types import Document, document_id
from tests.fakes import FakeEmbedder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    (root / "tea.txt").write_text("Tea is served at four.")
    (root / "sub" / "dogs.md").write_text("# Dogs\n\nDogs are *welcome*.")
    return root


@pytest.fixture
def index(tmp_path: Path) -> LocalIndex:
    return LocalIndex(tmp_path / "default")


def texts(index: LocalIndex) -> dict[str, str]:
    with index.snapshot() as snapshot:
        return {document.uri: document.text for document in snapshot.current_documents()}


def test_a_folder_is_ingested_under_relative_names(index: LocalIndex, folder: Path) -> None:
    report = ingest(index, FakeEmbedder(), [folder])
    assert sorted(report.added) == ["sub/dogs.md", "tea.txt"]
    assert texts(index)["tea.txt"] == "Tea is served at four."
    assert "*" not in texts(index)["sub/dogs.md"]


def test_a_second_ingest_touches_only_what_changed(index: LocalIndex, folder: Path) -> None:
    embedder = FakeEmbedder()
    ingest(index, embedder, [folder])
    embedder.embedded.clear()
    (folder / "tea.txt").write_text("Tea is served at five.")
    report = ingest(index, embedder, [folder])
    assert (report.added, report.updated, report.unchanged) == ([], ["tea.txt"], ["sub/dogs.md"])
    assert embedder.embedded == ["Tea is served at five."]
    assert report.generation == 2


def test_an_ingest_of_the_same_changes_nothing(index: LocalIndex, folder: Path) -> None:
    embedder = FakeEmbedder()
    first = ingest(index, embedder, [folder])
    before = {p.name: p.stat().st_mtime_ns for p in index.folder.glob("vectors-*")}
    again = ingest(index, embedder, [folder])
    assert again.generation == first.generation
    assert (again.embedded, len(again.unchanged)) == (0, 2)
    assert before == {p.name: p.stat().st_mtime_ns for p in index.folder.glob("vectors-*")}


def test_text_that_was_seen_before_is_not_embedded_again(index: LocalIndex, folder: Path) -> None:
    embedder = FakeEmbedder()
    ingest(index, embedder, [folder])
    embedder.embedded.clear()
    (folder / "copy.txt").write_text("Tea is served at four.")
    assert ingest(index, embedder, [folder]).added == ["copy.txt"]
    assert embedder.embedded == []


def test_one_file_is_named_as_in_its_folder(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    report = ingest(index, FakeEmbedder(), [folder / "sub" / "dogs.md"])
    assert report.unchanged == ["sub/dogs.md"]
    assert len(texts(index)) == 2


def test_prune_removes_what_is_gone_from_the_paths_and_nothing_else(
    index: LocalIndex, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Elsewhere it rains.")
    ingest(index, FakeEmbedder(), [folder, other])
    (folder / "tea.txt").unlink()
    other.unlink()
    assert ingest(index, FakeEmbedder(), [folder]).removed == []
    assert ingest(index, FakeEmbedder(), [folder], prune=True).removed == ["tea.txt"]
    assert sorted(texts(index)) == ["other.txt", "sub/dogs.md"]


def test_a_path_that_is_not_there_prunes_nothing(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    with pytest.raises(LoadError):
        ingest(index, FakeEmbedder(), [folder.parent / "typo"], prune=True)
    assert len(texts(index)) == 2


def test_a_name_that_is_no_text_is_pruned_when_it_is_gone_and_not_before(index: LocalIndex, folder: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt"))
    try:
        path.write_text("Coffee is served at two.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for _ in range(2):
        report = ingest(index, FakeEmbedder(), [folder], prune=True)
    assert (report.updated, report.removed, len(report.unchanged)) == ([], [], 3)
    path.unlink()
    assert ingest(index, FakeEmbedder(), [folder], prune=True).removed == ["caf\\udce9.txt"]


def test_a_folder_that_cannot_be_read_is_reported_and_leaves_the_rest(
    index: LocalIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(index, FakeEmbedder(), [folder])
    (folder / "tea.txt").unlink()
    (folder / "new.txt").write_text("New is good.")
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:  # root may read everything, so the mode of the folder would not do
        if path.name == "sub":
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    report = ingest(index, FakeEmbedder(), [folder], prune=True)
    assert (report.added, report.removed) == (["new.txt"], ["tea.txt"])
    assert [str(error) for error in report.failed] == [f"{folder / 'sub'} cannot be read: Permission denied."]
    assert sorted(texts(index)) == ["new.txt", "sub/dogs.md"]  # nobody knows what is gone from there
    with pytest.raises(LoadError, match="Permission denied"):
        ingest(index, FakeEmbedder(), [folder / "sub"])


def test_files_that_cannot_be_read_are_reported_and_leave_the_rest(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    (folder / "tea.txt").write_bytes(b"\x7fELF\x00\x00\x01\x02")
    (folder / "empty.txt").write_text(" \n ")
    (folder / "new.txt").write_text("New is good.")
    report = ingest(index, FakeEmbedder(), [folder], prune=True)
    assert sorted(type(error).__name__ for error in report.failed) == [EmptyDocument.__name__, NotText.__name__]
    assert report.added == ["new.txt"]
    assert texts(index)["tea.txt"] == "Tea is served at four."  # what was stored stays


def test_two_files_of_one_name_are_told_apart(index: LocalIndex, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "tea.txt").write_text("Tea is served never.")
    ingest(index, FakeEmbedder(), [folder])
    report = ingest(index, FakeEmbedder(), [tmp_path / "more"])
    assert [type(error) for error in report.failed] == [DocumentConflict]
    assert texts(index)["tea.txt"] == "Tea is served at four."


def test_a_name_of_an_earlier_ingest_in_the_way_comes_with_help_that_works(index: LocalIndex, folder: Path) -> None:
    (folder / "sub" / "readme.md").write_text("The inner one.")
    ingest(index, FakeEmbedder(), [folder / "sub"])
    (folder / "readme.md").write_text("The outer one.")
    [conflict] = ingest(index, FakeEmbedder(), [folder]).failed
    assert "`qa remove readme.md --collection default`" in conflict.help
    remove(index, [document_id("readme.md")])
    assert ingest(index, FakeEmbedder(), [folder]).failed == []
    assert (texts(index)["readme.md"], texts(index)["sub/readme.md"]) == ("The outer one.", "The inner one.")


def test_two_files_that_one_command_gives_one_name_are_told_to_go_by_the_folder(
    index: LocalIndex, folder: Path
) -> None:
    (folder / "sub" / "tea.txt").write_text("Tea is served never.")
    for _ in range(2):
        [conflict] = ingest(index, FakeEmbedder(), [folder / "tea.txt", folder / "sub" / "tea.txt"]).failed
        assert "the folder above both" in conflict.help


def test_a_file_of_several_names_is_one_document(index: LocalIndex, folder: Path) -> None:
    (folder / "again.txt").symlink_to(folder / "tea.txt")
    paths = [folder, folder / "sub" / "dogs.md", folder / "sub" / "dogs.md"]
    report = ingest(index, FakeEmbedder(), paths)
    assert report.added == sorted(texts(index)) == ["again.txt", "sub/dogs.md"]
    assert len(ingest(index, FakeEmbedder(), paths[::-1]).unchanged) == 2


def test_twins_of_an_earlier_release_become_one_document(index: LocalIndex, folder: Path) -> None:
    tea = str((folder / "tea.txt").resolve())
    elsewhere = [Document(f"{n}.txt", "Else", "It comes from elsewhere.", "a data set") for n in range(2)]
    add(index, FakeEmbedder(), [Document(uri, "T", "Old.", tea) for uri in ("a.txt", "tea.txt")] + elsewhere)
    report = ingest(index, FakeEmbedder(), [folder])
    assert (report.added, report.updated, report.removed) == (["sub/dogs.md"], ["tea.txt"], ["a.txt"])
    assert sorted(texts(index)) == ["0.txt", "1.txt", "sub/dogs.md", "tea.txt"]
    assert texts(index)["tea.txt"] == "Tea is served at four."


def test_a_file_that_takes_the_place_of_a_twin_is_a_document(index: LocalIndex, folder: Path) -> None:
    tea = str((folder / "tea.txt").resolve())
    add(index, FakeEmbedder(), [Document(uri, "T", "Old.", tea) for uri in ("a.txt", "tea.txt")])
    (folder / "a.txt").write_text("A file of its own.")
    report = ingest(index, FakeEmbedder(), [folder])
    assert (sorted(report.updated), report.removed, report.failed) == (["a.txt", "tea.txt"], [], [])
    assert texts(index)["a.txt"] == "A file of its own."


def test_a_folder_that_moved_is_the_same_documents(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    moved = folder.rename(folder.parent / "moved")
    report = ingest(index, FakeEmbedder(), [moved])
    assert sorted(report.updated) == ["sub/dogs.md", "tea.txt"]
    assert report.embedded == 0


def test_a_folder_without_documents_is_an_error(index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    with pytest.raises(LoadError, match="no documents"):
        ingest(index, FakeEmbedder(), [tmp_path / "void"])


class Interrupted(FakeEmbedder):
    """Embeds so many texts, then Ctrl-C."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if len(self.embedded) + len(texts) > self.after:
            raise KeyboardInterrupt
        return super().embed_documents(texts)


def test_an_interrupted_ingest_goes_on_where_it_was(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    for number in range(3 * EMBED_BATCH):
        (folder / f"n{number}.txt").write_text(f"Number {number} is here.")
    with pytest.raises(KeyboardInterrupt):
        ingest(index, Interrupted(after=2 * EMBED_BATCH), [folder])
    assert len(texts(index)) == 2  # the last complete generation
    embedder = FakeEmbedder()
    report = ingest(index, embedder, [folder])
    assert len(report.added) == 3 * EMBED_BATCH
    assert len(embedder.embedded) == EMBED_BATCH  # the other two batches were kept


def test_so_does_a_first_ingest_that_was_interrupted(index: LocalIndex, folder: Path) -> None:
    for number in range(2 * EMBED_BATCH):
        (folder / f"n{number}.txt").write_text(f"Number {number} is here.")
    with pytest.raises(KeyboardInterrupt):
        ingest(index, Interrupted(after=EMBED_BATCH), [folder])
    embedder = FakeEmbedder()
    report = ingest(index, embedder, [folder])
    assert len(report.added) == len(texts(index)) == 2 * EMBED_BATCH + 2
    assert len(embedder.embedded) == EMBED_BATCH + 2


@pytest.mark.parametrize("left", ["no schema", "nothing"])
def test_so_does_one_that_ended_before_there_was_a_schema(index: LocalIndex, folder: Path, left: str) -> None:
    index.folder.mkdir()
    catalogue = index.folder / "catalog.sqlite"
    if left == "nothing":
        catalogue.touch()
    else:
        script = (
            f"import os, sqlite3; sqlite3.connect({str(catalogue)!r}).execute('PRAGMA journal_mode = WAL'); os._exit(9)"
        )
        subprocess.run([sys.executable, "-c", script], check=False)
        assert catalogue.stat().st_size == 4096
    with pytest.raises(CollectionMissing, match="not finished"), index.snapshot():
        pass
    with pytest.raises(CollectionMissing):
        rebuild(index, FakeEmbedder())
    with pytest.raises(CollectionMissing):
        remove(index, [document_id("tea.txt")])
    index.repair()
    assert len(ingest(index, FakeEmbedder(), [folder]).added) == len(texts(index)) == 2


def test_documents_that_come_from_elsewhere_are_added_once(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    library = Document("library/1", "Library", "It opens at nine.", "a data set")
    assert add(index, FakeEmbedder(), [library]).added == ["library/1"]
    assert add(index, FakeEmbedder(), [library]).unchanged == ["library/1"]
    assert add(index, FakeEmbedder(), [replace(library, text="It opens at ten.")]).updated == ["library/1"]
    assert len(texts(index)) == 3
    assert texts(index)["library/1"] == "It opens at ten."


def test_progress_reaches_the_end_of_every_step(index: LocalIndex, folder: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}
    ingest(index, FakeEmbedder(), [folder], on_progress=lambda step, done, total: seen.update({step: (done, total)}))
    assert seen == {"load": (2, 2), "embed": (2, 2), "store": (2, 2)}


def test_rebuild_embeds_the_stored_texts_for_another_embedder(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    (folder / "tea.txt").unlink()
    other = FakeEmbedder()
    other.name = "another"
    assert rebuild(index, other).embedded == 2
    with index.snapshot("another") as snapshot:
        hits = snapshot.dense(other.embed_query("tea"), 1)
        assert snapshot.passages([hits[0][0]])[0].text == "Tea is served at four."


def test_rebuild_gives_a_collection_without_documents_to_another_embedder(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    remove(index, [document_id(uri) for uri in texts(index)])
    other = FakeEmbedder()
    other.name = "another"
    assert rebuild(index, other).generation == 3
    assert len(ingest(index, other, [folder]).added) == 2


def test_another_chunker_cuts_every_document_again(
    index: LocalIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(index, FakeEmbedder(), [folder])
    monkeypatch.setattr("index.ingest.CHUNKER", "a-later-one")
    report = ingest(index, FakeEmbedder(), [folder])
    assert (len(report.updated), report.embedded) == (2, 0)
    assert ingest(index, FakeEmbedder(), [folder]).updated == []


def test_remove_takes_ids_that_are_there(index: LocalIndex, folder: Path) -> None:
    ingest(index, FakeEmbedder(), [folder])
    assert remove(index, [document_id("tea.txt")]).removed == ["tea.txt"]
    with pytest.raises(DocumentMissing):
        remove(index, [document_id("never.txt")])
    assert list(texts(index)) == ["sub/dogs.md"]
