"""Register `load_dataset("oss-instruct", …)` on `import hf_oss_instruct`, without importing `datasets`.

`datasets` 5 has no plugin hook, so our builder is added to its table of packaged builders as soon as it is imported.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def register() -> None:
    """Make `load_dataset("oss-instruct", …)` work. Importing the package does this already; calling it again has no effect."""
    from hf_oss_instruct.loading import datasets_compat

    datasets_compat.install()


def register_when_imported() -> None:
    """Register as soon as `datasets` is imported, or now if it is already; importing it here would take seconds."""
    if "datasets" in sys.modules:
        register()
    elif not any(isinstance(finder, _AfterDatasets) for finder in sys.meta_path):
        # First, since the usual finders would answer before it.
        sys.meta_path.insert(0, _AfterDatasets())


class _AfterDatasets:
    """Import hook that loads `datasets` as usual and then registers our builder."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "datasets":
            return None
        # Before the module is looked for, which asks all finders again.
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            try:
                register()
            except (AttributeError, ImportError) as error:  # a plugin must not break `datasets`
                warnings.warn(
                    f'load_dataset("oss-instruct") is not available: {error}. Install datasets>=5.2,<6, or use OssInstruct.',
                    stacklevel=2,
                )

        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
