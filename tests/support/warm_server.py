"""The process behind `warm.WarmPython`: imports what is heavy once, then runs each command in a fork of itself.

Run as `python -P warm_server.py SOCKET IMPORTS`; it ends when the last connection that holds it is closed. A command
`warm_server.py SOCKET IMPORTS` is another such server, which begins with what this one has imported.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import io
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import sys
import termios
import threading
import traceback
import types
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

AT_IMPORT = ("HF_HOME", "HF_ENDPOINT")
"""Variables that libraries read while they are imported. Their values are unlike any other text, so that each copy is found."""
HOLD = b"hold"
START_S = 60.0
"""How long the first connection is waited for."""
Copies = dict[str, list[tuple[dict[Any, Any], Any]]]
"""Variable → dictionaries, and keys in them, where its value lies, or a longer text that begins with it."""
OUTPUT_LOST = 120
"""Python's own exit code where the last of the output could not be written."""


def copies() -> Copies:
    """Where values of these variables lie, in modules and in objects."""
    found: Copies = {name: [] for name in AT_IMPORT}
    values: dict[int, tuple[str, str | Path]] = {}
    for place in [one for one in gc.get_objects() if type(one) is dict and one is not os.environ._data]:  # type: ignore[attr-defined]
        for key, value in list(place.items()):
            if issubclass(type(value), (str, Path)):  # isinstance() would ask lazy modules for their class
                for name in AT_IMPORT:
                    if str(value).startswith(os.environ[name]):
                        found[name].append((place, key))
                        values[id(value)] = name, value
    for held in holders([value for _, value in values.values()]):
        for key, one in held.items():
            if id(one) in values:
                found[values[id(one)][0]].append((held, key))
    return found


def holders(values: list[str | Path]) -> Iterator[dict[Any, Any]]:
    """The attributes of objects that refer to one of these values; their dictionaries do not exist before they are asked for."""
    for one in gc.get_referrers(*values):
        if hasattr(one, "__dict__") and not isinstance(one, types.FrameType) and type(held := vars(one)) is dict:
            yield held


def replace(places: Copies, before: dict[str, str]) -> None:
    """Give every copy the value that the command's own environment has."""
    for name, there in places.items():
        for place, key in there:
            value = place[key]
            place[key] = type(value)(str(value).replace(before[name], os.environ[name], 1))


def prepare(asked: dict[str, Any], descriptors: list[int], places: Copies) -> None:
    """Make this process one that was just started: its signals, folder, environment, arguments, input and output."""
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = {name: os.environ[name] for name in AT_IMPORT}
    os.environ.clear()
    os.environ.update(before | asked["env"])
    replace(places, before)
    os.chdir(asked["cwd"])
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if os.isatty(2):  # Ctrl-C in this terminal is for this process
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    for number, name, errors in ((1, "stdout", "strict"), (2, "stderr", "backslashreplace")):
        raw = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        stream = io.TextIOWrapper(raw, encoding, errors, line_buffering=number == 2)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = asked["argv"]
    random.seed()


def code_of(argv: list[str]) -> int:
    """Run `-c CODE …`, `-m MODULE …` or `SCRIPT …` as Python does; the exit code."""
    try:
        if argv[0] == __file__:
            main(*argv[1:])
        elif argv[0] == "-c":
            code, sys.argv = argv[1], ["-c", *argv[2:]]
            sys.path.insert(0, "")
            sys.modules["__main__"] = module = types.ModuleType("__main__")
            exec(compile(code, "<string>", "exec"), vars(module))
        elif argv[0] == "-m":
            sys.argv = argv[1:]
            sys.path.insert(0, "")
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(argv[0]).parent))
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code is not None and not isinstance(ended.code, int):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        return 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def leave(code: int) -> NoReturn:
    """All that Python does at its end but taking its modules apart, which costs seconds with so many of them."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or OUTPUT_LOST
    os._exit(code)


def main(path: str, imports: str) -> None:
    """Import, then serve from a process of its own."""
    gc.disable()  # it would look at all objects again and again, and find no garbage
    exec(imports, {})
    gc.unfreeze()
    gc.enable()
    gc.collect()
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False  # they would take modules apart, too
    places = copies()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        if os.fork():  # whoever started this has what it waits for; any worker may end first, and this one serves the others
            os._exit(0)
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(listener, places)
    shutil.rmtree(Path(path).parent, ignore_errors=True)


def serve(listener: socket.socket, places: Copies) -> None:
    """Run what is asked for until nobody holds this process any more, and every command has ended."""
    holders: list[socket.socket] = []
    commands: dict[int, tuple[int, socket.socket]] = {}  # its pidfd → process id, and who waits for its exit code
    patience = START_S
    while ready := select.select([listener, *holders, *commands], [], [], None if holders or commands else patience)[0]:
        patience = 0.0
        for one in ready:
            if one in commands:
                ended(one, *commands.pop(one))
            elif one is not listener:
                holders.remove(one)
                one.close()
            else:
                connection, _ = listener.accept()
                message, descriptors, *_ = socket.recv_fds(connection, 1 << 20, 3)
                if message == HOLD:
                    holders.append(connection)
                elif message:
                    others = [listener, connection, *holders, *(waiting for _, waiting in commands.values())]
                    child = started(message, descriptors, others, [*commands], places)
                    commands[os.pidfd_open(child)] = child, connection
                    with suppress(OSError):  # whoever asked has left
                        connection.send(str(child).encode())
                else:
                    connection.close()


def started(message: bytes, descriptors: list[int], sockets: list[socket.socket], pidfds: list[int], places: Copies) -> int:
    """The process id of a command, which has none of the server's sockets and pidfds."""
    if child := os.fork():
        for descriptor in descriptors:
            os.close(descriptor)
        return child
    for one in sockets:
        one.close()
    for pidfd in pidfds:
        os.close(pidfd)
    asked = json.loads(message)
    prepare(asked, descriptors, places)
    leave(code_of(asked["argv"]))


def ended(pidfd: int, child: int, connection: socket.socket) -> None:
    """Say the exit code of a command that has ended."""
    os.close(pidfd)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with connection, suppress(OSError):
        connection.send(str(code).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
