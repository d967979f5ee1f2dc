"""How `load_dataset("oss-instruct", …)` finds our builder. Every private name of `datasets` that we touch is in this file.

`datasets` 5 has no plug-in hook, so an import of ours adds a row to its table of packaged builders the moment `datasets` itself
is imported. A canary test asserts that the names below exist; the dependency is bound to `datasets<6`.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

NAME = "oss-instruct"
"""The name for `load_dataset`; it must not hold a slash, which would reach file names and shadow a Hub id."""


def register() -> None:
    """Make `load_dataset("oss-instruct", …)` work now. Importing the package does it by itself; twice does no harm."""
    import datasets.packaged_modules as packaged

    from hf_oss_instruct.synthesis import builder

    # The hash goes into the cache path: a changed builder makes new rows.
    source_hash = packaged._hash_python_lines(inspect.getsource(builder).splitlines())
    packaged._PACKAGED_DATASETS_MODULES[NAME] = (builder.__name__, source_hash)
    packaged._MODULE_TO_EXTENSIONS[NAME] = []
    packaged._MODULE_TO_METADATA_FILE_NAMES[NAME] = []
    packaged._MODULE_TO_METADATA_EXTENSIONS[NAME] = []


def register_when_imported() -> None:
    """Register as soon as `datasets` is imported, or now if it is; importing `datasets` ourselves would cost seconds."""
    if "datasets" in sys.modules:
        register()
    elif not any(isinstance(finder, _AfterDatasets) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterDatasets())


class _AfterDatasets:
    """Finds `datasets` as usual, and registers our builder after it ran."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "datasets":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            try:
                register()
            except (AttributeError, ImportError) as error:  # a plug-in must not break its host
                warnings.warn(
                    f'load_dataset("{NAME}") is not available: {error}. Install datasets>=5,<6, or use OssInstruct directly.',
                    stacklevel=2,
                )

        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
