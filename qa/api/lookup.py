"""What the API and the pages look up in the index, as it is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from index.errors import CollectionMissing, IndexingError
from index.store import LocalIndex, Snapshot
from qa.api.problems import CITATION_NOT_FOUND, COLLECTION_NOT_FOUND, ProblemError
from qa.api.schemas import CitationView, CollectionRow, DocumentRow, DocumentView
from qa.cite import Place, decode, viewer_url
from qa.fragment import text_fragment_url
from qa.pipeline import QA

log = logging.getLogger("qa.api")


def existing(qa: QA, collection: str) -> LocalIndex:
    """A collection that is there: the error of the index itself would name its folder."""
    index = qa.collections.get(collection)
    if not index.exists():
        raise ProblemError(COLLECTION_NOT_FOUND, f"There is no collection {collection}.")
    return index


@contextmanager
def opened(qa: QA, collection: str) -> Iterator[Snapshot]:
    """The current generation of a collection, whatever embedder made it."""
    with existing(qa, collection).snapshot() as snapshot:
        yield snapshot


def collection_rows(qa: QA) -> Iterator[tuple[CollectionRow, Snapshot]]:
    """Every collection with its open snapshot.

    One whose first ingest has not finished is not there yet; one that cannot be opened must not take the others along.
    """
    for name in qa.collections.names():
        try:
            with qa.collections.get(name).snapshot() as snapshot:
                stats = snapshot.stats()
                row = CollectionRow(
                    name=name,
                    documents=stats.documents,
                    chunks=stats.chunks,
                    generation=stats.generation,
                    embedder=stats.embedder,
                )
                yield row, snapshot
        except CollectionMissing:
            continue
        except IndexingError as error:
            log.error("collection %s is left out of the list: %s", name, error)


def document_rows(snapshot: Snapshot, collection: str) -> list[DocumentRow]:
    """The documents of a snapshot. Where on this machine they came from stays here."""
    return [
        DocumentRow(
            id=row.id,
            title=row.title,
            uri=row.uri,
            version=row.version,
            characters=row.characters,
            chunks=row.chunks,
            source_url=row.source_url,
            viewer_url=viewer_url(row.id, collection, "").removesuffix("#"),
        )
        for row in snapshot.documents()
    ]


def document_view(qa: QA, document_id: str, collection: str, version: str | None) -> DocumentView:
    """A version of a document, and which one is current."""
    with opened(qa, collection) as snapshot:
        document = snapshot.document(document_id, version)
        current = document if document.current else snapshot.document(document_id)
    return DocumentView(
        id=document.id,
        title=document.title,
        uri=document.uri,
        version=document.version,
        text=document.text,
        source_url=document.source_url,
        current=document.current,
        current_version=current.version,
        generation=document.generation,
    )


def citation_view(qa: QA, citation_id: str) -> CitationView:
    """A citation, read again from the version it was made from."""
    place = decode(citation_id)
    document = document_view(qa, place.document_id, place.collection, place.document_version)
    if place.end > len(document.text):
        raise ProblemError(CITATION_NOT_FOUND, "The document is shorter than the place this id names.")
    return CitationView(
        id=citation_id,
        type="char_location",
        cited_text=document.text[place.start : place.end],
        document_id=document.id,
        document_title=document.title,
        document_version=document.version,
        start_char_index=place.start,
        end_char_index=place.end,
        score=1.0,
        viewer_url=viewer_url(document.id, place.collection, citation_id),
        source_url=document.source_url,
        collection=place.collection,
        stale=not document.current,
        current_version=document.current_version,
        source_text_url=_source_text_url(document, place),
    )


def _source_text_url(document: DocumentView, place: Place) -> str | None:
    source = web_address(document.source_url)
    return text_fragment_url(source, document.text, place.start, place.end) if source else None


def web_address(url: str | None) -> str | None:
    """`url` if following it only opens a page: a document may name any address as its source, `javascript:` too."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
