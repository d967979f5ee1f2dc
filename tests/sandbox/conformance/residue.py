"""Attacks on a later run: each leaves something behind, then an innocent program runs and must not meet it."""

from __future__ import annotations

from .attack import Attack

NEXT = "next-run"
INNOCENT = "import json, site, random; print(json.dumps([random.random()]))"
MARKED_BY_KEY = """
import ctypes
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(int('@MARK@'[4:], 16) & 0x7FFFFFFF, 64, {flags})
if segment >= 0:
    address = libc.shmat(segment, None, 0)
    {then}
"""
USER_SITE = """
import os, site
folder = site.getusersitepackages()
os.makedirs(folder, exist_ok=True)
open(folder + '/usercustomize.py', 'w').write("print('@HIT@')")
"""
STALE_BYTECODE = """
import os, importlib._bootstrap_external as b, importlib.util, marshal
open('helper.py', 'w').write('')
cache = importlib.util.cache_from_source('helper.py')
os.makedirs('__pycache__', exist_ok=True)
code = compile("print('@HIT@')", 'helper.py', 'exec')
open(cache, 'wb').write(b._code_to_hash_pyc(code, b'x' * 8, False))
"""
ATTACKS = (
    Attack("shadows-a-module-in-the-work-folder", NEXT, "python", "open('json.py', 'w').write(\"print('@HIT@')\")", victim=INNOCENT),
    Attack("leaves-false-bytecode", NEXT, "python", STALE_BYTECODE, victim="try: import helper\nexcept ImportError: pass"),
    Attack("leaves-a-package-for-the-user", NEXT, "python", USER_SITE, victim=INNOCENT),
    Attack("leaves-a-file-in-the-work-folder", NEXT, "shell", "echo @HIT@ > left", victim="print(open('left').read())"),
    Attack("leaves-a-file-in-the-temporary-folder", NEXT, "shell", "echo @HIT@ > /tmp/@MARK@",
        victim="import os; print(open('/tmp/@MARK@').read()); os.unlink('/tmp/@MARK@')"),
    Attack("leaves-a-file-in-the-shared-memory-folder", NEXT, "shell", "echo @HIT@ > /dev/shm/@MARK@x",
        victim="import os; print(open('/dev/shm/@MARK@x').read()); os.unlink('/dev/shm/@MARK@x')"),
    Attack("leaves-a-file-in-the-home-folder", NEXT, "python",
        "import os; open(os.path.expanduser('~/@MARK@'), 'w').write('@HIT@')",
        victim="import os; print(open(os.path.expanduser('~/@MARK@')).read())"),
    Attack("leaves-a-shared-memory-segment", NEXT, "python",
        MARKED_BY_KEY.format(flags="0o1600", then="ctypes.memmove(address, b'@HIT@', 21)"),
        victim=MARKED_BY_KEY.format(flags="0", then="print(ctypes.string_at(address).decode()); libc.shmctl(segment, 0, None)")),
)  # fmt: skip
