"""Clusters of snippets by the embeddings of a model, and a cache of them, so that no snippet is embedded twice."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from xxhash import xxh3_64_intdigest

from hf_oss_instruct.data import digest
from hf_oss_instruct.embeddings import EmbeddingModel, Encoder, Vectors
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.seeds.balance.features import centers_of, nearest
from hf_oss_instruct.storage.cache import cache_folder, write_cached
from hf_oss_instruct.storage.packed import NumberMap
from hf_oss_instruct.storage.workdir import JsonlAppender
from hf_oss_instruct.structured import any_json

VERSION = 1
"""Of how clusters are made: a change makes all be made again."""
_CENTERS = "centers.npy"


class EmbeddedClusters:
    """Clusters of snippets: k-means over embeddings. The model is loaded when a snippet comes by that the cache does not have.

    Only the number of a snippet's cluster is kept, not its embedding: a line of about 40 bytes in
    `$HF_HOME/oss-instruct/embeddings/`, and 16 to 26 bytes of memory. Each process writes a separate file.

    Args:
        model: the model, with its revision.
        snippets: those to learn from.
        progress: shows the embedding of these.
    """

    at_once = 64

    def __init__(self, model: EmbeddingModel, snippets: Sequence[str], progress: Progress = SILENT) -> None:
        self._model = model
        self._folder = cache_folder("embeddings", digest(VERSION, str(model), list(snippets)))
        self._known = NumberMap()
        self._own = self._folder / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        for path in sorted(self._folder.glob("*.jsonl")):
            self._read(path)
        self._centers = self._learn(snippets, progress)

    def of(self, snippets: Sequence[str]) -> list[int]:
        """See `Clusters.of`.

        Raises:
            UsageError: the model cannot be loaded.
            RunError: the cache cannot be written.
        """
        keys = [xxh3_64_intdigest(snippet.encode()) for snippet in snippets]
        # Equal snippets have one key, so that each text is embedded once.
        if new := {key: snippet for key, snippet in zip(keys, snippets, strict=True) if key not in self._known}:
            numbers = nearest(self._encoder.embed(list(new.values())), self._centers).tolist()
            self._keep(dict(zip(new, numbers, strict=True)))
        return [self._known.get(key) or 0 for key in keys]

    @cached_property
    def _encoder(self) -> Encoder:
        return self._model.load()

    def _learn(self, snippets: Sequence[str], progress: Progress) -> Vectors:
        """The centers of the clusters, from the cache or from these snippets."""
        path = self._folder / _CENTERS
        try:
            centers: Vectors = np.load(path, allow_pickle=False)
            return centers
        except (OSError, ValueError, EOFError):  # absent, or torn
            pass
        parts = []
        with progress.stage(f"Embedding snippets with {self._model}", "snippets", len(snippets)) as counts:
            for start in range(0, len(snippets), self.at_once):
                parts.append(self._encoder.embed(snippets[start : start + self.at_once]))
                counts.done += len(parts[-1])
        vectors = np.concatenate(parts)  # (snippets, dimensions)
        centers, data = centers_of(vectors), BytesIO()
        np.save(data, centers, allow_pickle=False)
        # Before the numbers of clusters, which mean nothing without their centers.
        write_cached(path, data.getvalue())
        keys = [xxh3_64_intdigest(snippet.encode()) for snippet in snippets]
        self._keep(dict(zip(keys, nearest(vectors, centers).tolist(), strict=True)))
        return centers

    def _keep(self, cluster_of: dict[int, int]) -> None:
        for key, cluster in cluster_of.items():
            self._known.set(key, cluster)
        self._folder.mkdir(parents=True, exist_ok=True)
        with JsonlAppender(self._own) as lines:
            lines.append(*({"snippet": key, "cluster": cluster} for key, cluster in cluster_of.items()))

    def _read(self, path: Path) -> None:
        for line in path.read_bytes().splitlines():
            try:
                row = any_json(line.decode("utf-8", "replace"))
                self._known.set(int(row["snippet"]), int(row["cluster"]))
            except (ValueError, KeyError, TypeError):  # a damaged line: its snippet is embedded again
                continue
