"""A source of one's own: what the protocol asks of it, and what it gets without asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import pytest

from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.filters import FILTERS
from hf_oss_instruct.seeds.sampling import SeedStream, sample
from hf_oss_instruct.seeds.source import Source, pinned, with_defaults
from hf_oss_instruct.spec.seeds import SeedPlan

GOOD = "def double(x):\n    return 2 * x\n"
TEXTS = {
    "good.py": (GOOD, ("MIT",)),
    "copyleft.py": (GOOD, ("GPL-3.0-only",)),
    "unknown.py": (GOOD, None),
    "broken.py": ("def (:\n" * 9, ("MIT",)),
}


class Drawer(Source):
    """The least that a source needs."""

    name, revision = "drawer", "1"

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        for number, (path, (text, licenses)) in enumerate(TEXTS.items()):
            yield Document(text, Provenance("drawer", "1", path, number, "python", file_path=path, licenses=licenses))


class OurDrawer(Drawer):
    untrusted = False


def test_code_from_a_source_of_ones_own_must_be_permissive_and_parse() -> None:
    items = list(sample(Drawer(), SeedPlan()))
    assert [item.origin.row_id for item in items if isinstance(item, Seed)] == ["good.py"]
    refused = Counter(item.reason for item in items if isinstance(item, Skipped))
    assert refused == {"license": 1, "license_unknown": 1, "does_not_parse": 1}
    assert pinned(SeedPlan(), Drawer()) == SeedPlan("drawer", revision="1", licenses="permissive", filters=FILTERS, rng_seed=0)


def test_a_source_that_is_trusted_says_so_and_is_still_filtered() -> None:
    seeds = [item.origin.row_id for item in sample(OurDrawer(), SeedPlan()) if isinstance(item, Seed)]
    assert seeds == ["good.py", "copyleft.py", "unknown.py"]
    assert (OurDrawer().size, OurDrawer().converted, with_defaults(SeedPlan(), OurDrawer()).licenses) == (None, {}, "any")


def test_a_source_that_is_no_subclass_is_refused_and_no_license_check_is_lost() -> None:
    class Silent:
        name, revision, documents = "silent", None, Drawer.documents

    for draw in (sample, SeedStream):
        with pytest.raises(UsageError, match=r"^Silent is not a source.*subclass of hf_oss_instruct\.seeds\.source\.Source"):
            list(draw(Silent(), SeedPlan()))  # type: ignore[operator]
