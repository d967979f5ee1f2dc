"""Tables of a dataset on the Hub, read in place."""

from __future__ import annotations

from typing import IO

from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.hub import client, commit_in, file_system, reason, transport_error
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.tables.documents import Tables
from hf_oss_instruct.seeds.tables.software_heritage import Archive
from hf_oss_instruct.storage.formats import NAMES, tables_among


class HubTables(Tables):
    """A dataset on the Hub, read in place: only the byte ranges of the columns in use are downloaded.

    Args:
        repo_id: such as `bigcode/the-stack`.
        revision: branch, tag or commit; rows record the commit.
        reading: how documents are read.
        endpoint: another Hub than huggingface.co.
        archive: where to fetch the text of rows that have only ids.
    """

    untrusted = True

    def __init__(
        self,
        repo_id: str,
        revision: str | None = None,
        *,
        reading: ReadOptions = DEFAULT,
        endpoint: str | None = None,
        archive: Archive | None = None,
    ) -> None:
        from huggingface_hub.errors import (
            HFValidationError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        api = client(endpoint=endpoint)
        try:
            info = api.dataset_info(repo_id, revision=revision)
            commit = commit_in(info)
        except RevisionNotFoundError as error:
            raise SeedError(f"{repo_id!r} has no revision {revision!r}. Leave --revision out for the newest.") from error
        except (RepositoryNotFoundError, HFValidationError) as error:
            raise SeedError(
                f"{repo_id!r} is neither a local folder nor a dataset on the Hub that you can access. "
                "Check the spelling, or log in: hf auth login."
            ) from error
        except (transport_error(), OSError) as error:
            raise SeedError(
                f"The dataset {repo_id!r} cannot be read: {reason(error)}. Try again, or use the seeds 'stdlib'."
            ) from error
        self._files = file_system(endpoint=endpoint)
        # The commit, so that a push during the run changes no document.
        self._root = f"datasets/{repo_id}@{commit}"
        super().__init__(tables_among(file.rfilename for file in info.siblings or ()), reading, archive)
        self.name, self.revision = repo_id, commit
        if not self.paths:
            raise SeedError(f"{repo_id!r} contains no tables. Pass a code dataset in {NAMES}.")

    def _open(self, path: str) -> IO[bytes]:
        handle: IO[bytes] = self._files.open(f"{self._root}/{path}", "rb")
        return handle
