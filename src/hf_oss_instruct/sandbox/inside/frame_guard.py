"""Keep a program from looking at the frames of the tests that call it, where the expected values are."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

_EVENTS = frozenset(
    "sys._getframe sys._current_frames sys.settrace sys.setprofile gc.get_objects gc.get_referrers gc.get_referents".split()
)
_ATTRIBUTES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame"})
REFUSED = "programs under test cannot look at frames or at all objects"
_FRAME_PROVIDERS = ("inspect.py", "traceback.py")  # they return frames to their caller


def install(test_files: frozenset[str]) -> None:
    """Raise `RuntimeError` in what reaches for frames or for all objects; there is no way back in this process.

    The standard library and installed packages may, as `logging` and `collections` do. A program that reads the bytes of its
    process's memory is not held: nothing inside one process could.

    Args:
        test_files: file names of tests, which may, too.
    """
    library = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sysconfig.get_path("purelib"), "<frozen ")
    # Kept from before the program starts, which could replace it.
    getframe: Callable[[int], FrameType] = sys._getframe
    in_hook: list[bool] = []

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS and not (event == "object.__getattr__" and arguments[1] in _ATTRIBUTES):
            return
        if in_hook:  # asked by this function
            return
        in_hook.append(True)
        try:
            frame: FrameType | None = getframe(1)
            # Who calls inspect or traceback is who gets the frame.
            while event != "object.__getattr__" and frame and frame.f_code.co_filename.endswith(_FRAME_PROVIDERS):
                frame = frame.f_back
            name = frame.f_code.co_filename if frame else ""
        finally:
            in_hook.clear()
        if not name.startswith(library) and name not in test_files:
            raise RuntimeError(f"{event}: {REFUSED}")

    sys.addaudithook(audit)
