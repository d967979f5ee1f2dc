"""What a source of documents is, and what a plan leaves to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from hf_oss_instruct.data import Document, Skipped
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.seeds.filters import FILTERS, SourceFilter
from hf_oss_instruct.seeds.vectorized import Batch
from hf_oss_instruct.spec.seeds import ANY, PERMISSIVE, SeedPlan


class Source(Protocol):
    """A source of documents.

    A class that inherits from it needs `name`, `revision` and `documents`; the rest has defaults, the careful ones.
    """

    @property
    def name(self) -> str:
        """What rows call the dataset."""
        ...

    @property
    def revision(self) -> str | None:
        """Its commit, version or content hash."""
        ...

    @property
    def untrusted(self) -> bool:
        """Whether the code is other people's: then only permissive code is taken, unless the plan says otherwise."""
        return True

    @property
    def size(self) -> int | None:
        """About how many documents there are; None where that is not known before they are read."""
        return None

    @property
    def converted(self) -> Mapping[str, str]:
        """File → its encoding, for the files read so far that are not UTF-8."""
        return {}

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """Every document in one of `languages` (None: in any), read lazily.

        With `order_seed`, a source that can list its documents cheaply gives them in an order drawn by hash, so that the
        first hundred are a fair sample; without, in the source's own order. `assumed` is the language of documents that say
        nothing of theirs.
        """
        ...

    @property
    def columnar(self) -> bool:
        """Whether documents are read with `batches`, as from tables, instead of one by one with `documents`."""
        return False

    def batches(self, languages: Collection[str] | None, assumed: str | None, source_filter: SourceFilter) -> Iterator[Batch]:
        """The same documents, many at a time, without those that the source filter refuses: their content is not fetched.

        Only called if the source is `columnar`.
        """
        del languages, assumed, source_filter
        raise NotImplementedError(f"{self.name} is not columnar: its documents are read one by one.")


def settled(plan: SeedPlan, source: Source) -> SeedPlan:
    """The plan with the licenses and filters that it leaves to the source, and the random number of its sampler."""
    licenses, filters = plan.licenses, plan.filters
    if licenses is None:
        licenses = PERMISSIVE if source.untrusted else ANY
    if filters is None:
        filters = () if plan.sampler == "magicoder" else FILTERS
    return replace(plan, licenses=licenses, filters=filters, rng_seed=plan.random_seed)


def pinned(plan: SeedPlan, source: Source) -> SeedPlan:
    """The plan as a run records it: `settled`, with the name and revision that the source has now.

    Raises:
        RunError: the plan names another revision.
    """
    if plan.revision not in (None, source.revision):
        raise RunError(
            f"The run config was made from {source.name} at {plan.revision}, here it is {source.revision}. Bring that "
            "revision back, or remove seeds.revision from the config and use a new --out."
        )
    return replace(settled(plan, source), source=source.name, revision=source.revision)
