"""Attacks on time, memory, processes, disk and output. Each stops by itself at a bound that no machine notices."""

from __future__ import annotations

from .attack import Attack, Outcome, reaches, says_hit
from .scene import Scene

KEPT = 65_536
SMALL, SMALL_NODE = {"memory_mib": 64}, {"memory_mib": 128}
"""A bare run takes what it can, so what it can take is 160 MiB (Node.js: 256), for a moment."""


def too_much_is_kept(_: Scene, outcome: Outcome) -> bool:
    """More output came back than the limit and a note about it."""
    return len(outcome.stdout) + len(outcome.stderr) > KEPT * 1.25 + 1024


HALF_A_SECOND = {"cpu_s": 0.5, "wall_s": 8}
SHORT = {"cpu_s": 4, "wall_s": 0.7}
SPIN = """
import signal, time
{prepare}
while time.process_time() < 1.0: pass
print('@HIT@')
"""
SPIN_TOGETHER = """
import os, time
children = []
for _ in range(4):
    if not (child := os.fork()):
        while time.process_time() < 0.3: pass
        os._exit(0)
    children.append(child)
if not any(os.waitpid(child, 0)[1] for child in children): print('@HIT@')
"""
MEMORY = """
import mmap
kept = []
for n in range(20):
    {take}
    print('REACHED', 8 * (n + 1), flush=True)
"""
GROW = "kept.append(bytearray(b'x') * (8 << 20))"
C_MEMORY = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
int main(void) {
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &none); setrlimit(RLIMIT_DATA, &none);
    for (int n = 1; n <= 20; n++) {
        char *more = malloc(8 << 20);
        if (!more) return 1;
        memset(more, 1, 8 << 20);
        printf("REACHED %d\n", 8 * n); fflush(stdout);
    }
}
"""
ANONYMOUS_FILE = """
import os
file = os.memfd_create('m')
for n in range(20):
    os.write(file, bytes(8 << 20))
    print('REACHED', 8 * (n + 1), flush=True)
"""
SEGMENTS = """
import ctypes
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
for n in range(20):
    segment = libc.shmget(0, 8 << 20, 0o1600)
    address = libc.shmat(segment, None, 0)
    libc.shmctl(segment, 0, None)
    if segment < 0: break
    ctypes.memset(address, 1, 8 << 20); libc.shmdt(ctypes.c_void_p(address))
    print('REACHED', 8 * (n + 1), flush=True)
    keep = libc.shmat(segment, None, 0)
"""
# Six children hold 24 MiB each: more than the limit together, none of them alone.
CHILDREN = """
import os, time
for n in range(6):
    ready, done = os.pipe()
    if not os.fork():
        held = bytearray(b'x') * (24 << 20)
        os.write(done, b'.'); time.sleep(4); os._exit(0)
    os.close(done)
    if os.read(ready, 1): print('REACHED', 24 * (n + 1), flush=True)
time.sleep({linger})
print('@HIT@', flush=True)
"""
FORKS = """
import os, time
for n in range(120):
    if not os.fork(): time.sleep(3); os._exit(0)
    print('REACHED', n + 1, flush=True)
"""
C_FORKS = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
    for (int n = 1; n <= 120; n++) {
        int child = fork();
        if (child < 0) return 1;
        if (!child) { sleep(3); _exit(0); }
        printf("REACHED %d\n", n); fflush(stdout);
    }
}
"""
THREADS = """
import threading, time
for n in range(120):
    threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
    print('REACHED', n + 1, flush=True)
"""
C_THREADS = r"""
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int rest(void *_) { sleep(2); return 0; }
int main(void) {
    for (int n = 1; n <= 120; n++) {
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
        if (clone(rest, (char *)malloc(16384) + 16384, flags, 0) < 0) return 1;
        printf("REACHED %d\n", n); fflush(stdout);
    }
    _exit(0);
}
"""
OTHER_USER_FORKS = "import os\nos.setresuid(12345, 12345, 12345)\n" + FORKS
WRITES = """
import os
{prepare}
for n in range(40):
    with open(f'{path}', 'ab') as file:
        file.write(b'x' * (1 << 20)); file.flush()
    print('REACHED', n + 1, flush=True)
"""
SPARSE = """
import os
file = os.open('sparse', os.O_CREAT | os.O_RDWR)
for n in range(40):
    os.posix_fallocate(file, n << 20, 1 << 20)
    print('REACHED', n + 1, flush=True)
"""
ALL_PLACES = """
import os, tempfile
for n in range(40):
    for place in ('.', '/tmp', '/var/tmp', os.environ.get('HOME', '.'), tempfile.gettempdir()):
        try:
            with open(f'{place}/@MARK@-{n}', 'wb') as file: file.write(b'x' * (1 << 20))
            break
        except OSError: pass
    else: break
    print('REACHED', n + 1, flush=True)
for n in range(40):
    for place in ('.', '/tmp', '/var/tmp', os.environ.get('HOME', '.'), tempfile.gettempdir()):
        try: os.unlink(f'{place}/@MARK@-{n}')
        except OSError: pass
"""
ATTACKS = (
    Attack("spins", "cpu", "python", SPIN.format(prepare=""), limits=HALF_A_SECOND),
    Attack("spins-and-ignores-signals", "cpu", "python",
        SPIN.format(prepare="for n in (2, 15, 24, 1): signal.signal(n, signal.SIG_IGN)"), limits=HALF_A_SECOND),
    Attack("spins-in-javascript", "cpu", "javascript",
        "let used = 0; while (used < 1e6) { for (let n = 0; n < 1e7; n++); const u = process.cpuUsage(); used = u.user + u.system }\n"
        "console.log('@HIT@')", limits=HALF_A_SECOND),
    Attack("spins-in-many-processes", "cpu", "python", SPIN_TOGETHER, limits=HALF_A_SECOND),
    Attack("sleeps", "wall", "python", "import time; time.sleep(2.5); print('@HIT@')", limits=SHORT),
    Attack("sleeps-in-shell-and-ignores-signals", "wall", "shell", "trap '' TERM INT HUP; sleep 2.5; echo @HIT@", limits=SHORT),
    Attack("stops-itself-and-keeps-the-caller", "wall", "python", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        lambda _, outcome: outcome.seconds > 2.5, limits=SHORT),
    Attack("grows", "memory", "python", MEMORY.format(take=GROW), reaches(96), limits=SMALL),
    Attack("grows-in-c-after-raising-its-limits", "memory", "c", C_MEMORY, reaches(96), limits=SMALL),
    Attack("grows-in-javascript", "memory", "javascript", """
const kept = []
for (let n = 1; n <= 16; n++) { kept.push(Buffer.alloc(16 << 20, 1)); require('fs').writeSync(1, `REACHED ${16 * n}\\n`) }
""", reaches(176), limits=SMALL_NODE),
    Attack("grows-by-shared-mappings", "memory", "python",
        MEMORY.format(take="kept.append(mmap.mmap(-1, 8 << 20)); kept[-1].write(bytes(8 << 20))"), reaches(96), limits=SMALL),
    Attack("grows-by-an-anonymous-file", "memory", "python", ANONYMOUS_FILE, reaches(96), limits=SMALL),
    Attack("grows-by-shared-memory-segments", "memory", "python", SEGMENTS, reaches(96), limits=SMALL),
    Attack("grows-in-many-processes-and-stays", "memory-summed", "python", CHILDREN.format(linger=1.5), says_hit, limits=SMALL),
    Attack("grows-in-many-processes-for-a-moment", "memory-summed-peak", "python", CHILDREN.format(linger=0), reaches(96), limits=SMALL),
    Attack("forks", "processes", "python", FORKS, reaches(32)),
    Attack("forks-in-c", "processes", "c", C_FORKS, reaches(32)),
    Attack("forks-in-shell", "processes", "shell",
        "for n in $(seq 120); do sleep 3 & echo REACHED $n; done < /dev/null", reaches(32)),
    Attack("forks-as-another-user", "processes", "python", OTHER_USER_FORKS, reaches(32), needs=("root",)),
    Attack("starts-threads", "processes", "python", THREADS, reaches(32)),
    Attack("starts-threads-in-c", "processes", "c", C_THREADS, reaches(32)),
    Attack("fills-the-disk-with-one-file", "disk", "python", WRITES.format(prepare="", path="big"), reaches(20)),
    Attack("fills-the-disk-with-many-files", "disk", "python", WRITES.format(prepare="", path="many-{n}"), reaches(20)),
    Attack("fills-the-disk-with-removed-files", "disk", "python", """
kept = []
for n in range(40):
    kept.append(open('gone', 'wb+')); import os; os.unlink('gone')
    kept[-1].write(b'x' * (1 << 20)); kept[-1].flush()
    print('REACHED', n + 1, flush=True)
""", reaches(20)),
    Attack("fills-the-disk-without-writing", "disk", "python", SPARSE, reaches(20)),
    Attack("fills-every-temporary-folder", "disk", "python", ALL_PLACES, reaches(36)),
    Attack("fills-the-shared-memory-folder", "shared-memory", "python", """
import os
try:
    for n in range(40):
        with open('/dev/shm/@MARK@-full', 'ab') as file: file.write(b'x' * (1 << 20))
        print('REACHED', n + 1, flush=True)
finally:
    os.unlink('/dev/shm/@MARK@-full')
""", reaches(20)),
    Attack("floods-the-output", "output", "python", "for _ in range(64): print('x' * 65536)", too_much_is_kept),
    Attack("floods-the-error-output", "output", "c", r"""#include <stdio.h>
int main(void) { for (int n = 0; n < 500000; n++) putc('x', stderr); }""", too_much_is_kept),
    Attack("floods-the-output-without-end", "wall", "shell", "yes | head -c 100000000; timeout 4 sh -c 'while echo y; do sleep 0.01; done'; echo @HIT@",
        lambda _, outcome: outcome.seconds > 3, limits={"wall_s": 1}),
)  # fmt: skip
