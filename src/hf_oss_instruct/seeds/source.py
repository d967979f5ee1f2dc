"""The base class of sources of documents, and the options whose defaults depend on the source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hf_oss_instruct.data import Document, Skipped
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.seeds.filters import FILTERS, SourceFilter
from hf_oss_instruct.seeds.vectorized import DocumentBatch
from hf_oss_instruct.spec.seeds import ANY, PERMISSIVE, SeedPlan


class Source(ABC):
    """A source of documents.

    A subclass defines `name`, `revision` and `documents`; the rest has defaults, on the safe side.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the dataset in rows."""

    @property
    @abstractmethod
    def revision(self) -> str | None:
        """Its commit, version or content hash."""

    @property
    def untrusted(self) -> bool:
        """Whether the code is other people's: then only permissively licensed code is used, unless the plan says otherwise."""
        return True

    @property
    def size(self) -> int | None:
        """Approximate number of documents; None if it is not known before they are read."""
        return None

    @property
    def converted(self) -> Mapping[str, str]:
        """File → its encoding, for the files read so far that are not UTF-8."""
        return {}

    @property
    def languages_found(self) -> Collection[str]:
        """Languages of the documents found so far, also of those that were not requested; empty if they are unknown."""
        return ()

    @abstractmethod
    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """Every document in one of `languages` (None: in any), read lazily.

        With `order_seed`, a source that can list its documents cheaply yields them in an order given by a hash, so that the
        first hundred are a fair sample; otherwise, in the source's own order. `assumed` is the language of documents whose
        language is not stated.

        Args:
            languages: names as in `languages.LANGUAGES`; None for all.
            order_seed: random seed of the order; None for the source's own order.
            assumed: the language of documents that do not state theirs.
        """

    @property
    def columnar(self) -> bool:
        """Whether documents are read with `batches`, as from tables, instead of one by one with `documents`."""
        return False

    def batches(
        self, languages: Collection[str] | None, assumed: str | None, source_filter: SourceFilter
    ) -> Iterator[DocumentBatch]:
        """The same documents, many at a time, without those that the source filter refuses: their content is not fetched.

        Only called if the source is `columnar`.

        Args:
            languages: names as in `languages.LANGUAGES`; None for all.
            assumed: the language of documents that do not state theirs.
            source_filter: refuses documents by their provenance.
        """
        del languages, assumed, source_filter
        raise NotImplementedError(f"{self.name} is not columnar: its documents are read one by one.")


def check_source(source: Any) -> None:
    """Refuse what is not a source: its missing defaults, such as `untrusted`, decide about licenses and filters.

    Raises:
        UsageError: its class is not a subclass of `Source`.
    """
    if not isinstance(source, Source):
        raise UsageError(
            f"{type(source).__name__} is not a source. Pass an object of a subclass of hf_oss_instruct.seeds.source.Source, "
            "which defines name, revision and documents, and has defaults for the rest."
        )


def with_defaults(plan: SeedPlan, source: Source) -> SeedPlan:
    """The plan with its automatic values filled in: licenses and filters for this source, and the sampler's random seed.

    Raises:
        UsageError: it names an embedding model and is not balanced, or the source is not one.
    """
    check_source(source)
    if plan.embedding_model and not plan.balance:
        raise UsageError("--embedding-model forms the clusters of --balance. Pass both, or leave it out.")
    licenses, filters = plan.licenses, plan.filters
    if licenses is None:
        licenses = PERMISSIVE if source.untrusted else ANY
    if filters is None:
        # The paper filters no seeds.
        filters = () if plan.sampler == "magicoder" else FILTERS
    return replace(plan, licenses=licenses, filters=filters, rng_seed=plan.random_seed)


def pinned(plan: SeedPlan, source: Source) -> SeedPlan:
    """The plan as a run records it: `with_defaults`, with the source's current name and revision.

    Raises:
        RunError: the plan names another revision.
        UsageError: its embedding model cannot be found.
    """
    if plan.revision not in (None, source.revision):
        raise RunError(
            f"The run config was made from {source.name} at {plan.revision}, but here it is at {source.revision}. Restore that "
            f"revision, or remove seeds.revision from the config and use a new folder."
        )
    plan = with_defaults(plan, source)
    model = plan.embedding_model.pinned() if plan.embedding_model else None
    return replace(plan, source=source.name, revision=source.revision, embedding_model=model)
