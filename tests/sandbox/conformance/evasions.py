"""Attacks on what watches over a run: the init_pid slowed or limited, memory and time where a look at the processes misses them.

`@INIT_PID@` is the number of the init process, which is the program's parent; on a bare run it is a process of the scene, never one of the
machine's. Amounts are small: a bare run holds 150 MiB at most, for a moment.
"""

from __future__ import annotations

from .attack import Attack, Outcome, reaches, says_hit
from .scene import Scene

INIT_PROCESS, MEMORY, SUMMED, KERNEL_MEMORY, CPU = "init-process", "memory", "memory-summed", "kernel-memory", "cpu"
SMALL = {"memory_mib": 64, "wall_s": 10, "cpu_s": 8}
TINY_DISK = {"disk_mib": 8}
BRIEF = {"cpu_s": 0.4, "wall_s": 10}


def late(_: Scene, outcome: Outcome) -> bool:
    """The answer came more than three seconds after a wall limit of one second."""
    return outcome.seconds > 4


def stopped_or_late(scene: Scene, outcome: Outcome) -> bool:
    """The stand-in of the init_pid was stopped or killed, or the answer came late."""
    return scene.sibling_touched() or late(scene, outcome)


TRY = """
import os, resource
init_pid = @INIT_PID@
try: {call}
except OSError: pass
else: print('@HIT@')
"""
IDLE = """
    os.sched_setscheduler(init_pid, os.SCHED_IDLE, os.sched_param(0))
    if os.sched_getscheduler(init_pid) != os.SCHED_IDLE: raise OSError  # nothing happens, and nothing fails
"""
OPEN_ITS_FILES = """
import os
init_pid = @INIT_PID@
for name in ('autogroup', 'oom_score_adj', 'coredump_filter', 'sched', 'timerslack_ns', 'comm', 'mem', 'clear_refs', 'attr/current'):
    for place in (f'/proc/{init_pid}', f'/proc/{init_pid}/task/{init_pid}'):
        try: os.close(os.open(f'{place}/{name}', os.O_WRONLY))
        except OSError: continue
        print('@HIT@')
"""
SIGNALS = """
import fcntl, os, socket, time
init_pid = @INIT_PID@
for number in (15, 2, 1, 34, 20, 19):
    try: os.kill(init_pid, number)
    except OSError: pass
one, other = socket.socketpair()
try:
    fcntl.fcntl(one, fcntl.F_SETOWN, init_pid); fcntl.fcntl(one, 10, 19)
    fcntl.fcntl(one, fcntl.F_SETFL, fcntl.fcntl(one, fcntl.F_GETFL) | fcntl.FASYNC)
    other.send(b'.')
except OSError: pass
time.sleep(1.2)
"""
# Each session is a group of its own for the scheduler: the init_pid gets as much time as one of them.
SESSIONS = """
import os, time
init_pid, until = @INIT_PID@, time.monotonic() + 4.2
try: open(f'/proc/{init_pid}/autogroup', 'w').write('19')
except OSError: pass
for _ in range(24):
    if not os.fork():
        os.setsid()
        while time.monotonic() < until: pass
        os._exit(0)
while time.monotonic() < until: pass
"""
STEPS = """
import ctypes, mmap, os, socket, threading, time
libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
kept, MIB = [], 1 << 20
{prepare}
for n in range(16):
    {take}
    print('REACHED', 8 * (n + 1), flush=True); time.sleep(0.03)
"""


def grows(take: str, prepare: str = "") -> str:
    """A program that takes 8 MiB sixteen times, and leaves time to be seen."""
    return STEPS.format(prepare=prepare, take=take)


TAKE = "kept.append(bytearray(b'x') * (8 * MIB))"
LEFT_BY_ITS_FIRST_THREAD = """
import ctypes, os, threading, time
kept = []
def grow():
    for n in range(16):
        kept.append(bytearray(b'x') * (8 << 20))
        print('REACHED', 8 * (n + 1), flush=True); time.sleep(0.03)
    os._exit(0)
threading.Thread(target=grow).start()
ctypes.CDLL(None).syscall({'x86_64': 60}.get(os.uname().machine, 93), 0)
"""
PAGE_TABLES = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    unsigned long size = 2816UL << 20;  /* a table of 4 KiB for each 2 MiB: 5.5 MiB of tables, and no page but the zero page */
    for (int n = 1; n <= 22; n++) {
        int ready[2]; char c;
        if (pipe(ready)) return 1;
        if (!fork()) {
            volatile char *at = mmap(0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (at == MAP_FAILED) _exit(1);
            madvise((void *)at, size, MADV_NOHUGEPAGE);
            for (unsigned long i = 0; i < size; i += 2UL << 20) c = at[i];
            write(ready[1], ".", 1); sleep(4); _exit(0);
        }
        close(ready[1]);
        if (read(ready[0], &c, 1) == 1) { printf("REACHED %d\n", n * 11 / 2); fflush(stdout); }
        usleep(50000);
    }
}
"""
SOCKETS = """
import socket, time
kept, held = [], 0
for n in range(160):
    for one in socket.socketpair():
        one.setblocking(False); one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20); kept.append(one)
        try:
            while held < 128 << 20: held += one.send(b'x' * 4096)
        except OSError: pass
    if n % 8 == 7: print('REACHED', held >> 20, flush=True); time.sleep(0.03)
"""
PIPES = """
import fcntl, os, time
held, kept = 0, []
for n in range(200):
    reader, writer = os.pipe(); os.set_blocking(writer, False)
    try: fcntl.fcntl(writer, 1031, 1 << 20)
    except OSError: pass
    try:
        while held < 128 << 20: held += os.write(writer, b'x' * 4096)
    except OSError: pass
    if n % 8 == 7: print('REACHED', held >> 20, flush=True); time.sleep(0.01)
"""
HUGE_PAGE_IN_A_PIPE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
    int ends[2]; static char page[4096] = "x"; struct iovec part = {page, 1};
    if (!pipe(ends) && vmsplice(ends[1], &part, 1, 0) == 1) puts("@HIT@");
}
"""
IGNORED = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
CHILDREN = """
import os, signal, time
{prepare}
for n in range({count}):
    reader, writer = os.pipe()
    if not os.fork():
        {again}
        while time.process_time() < {each}: pass
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    {reap}
print('@HIT@')
"""


def children(prepare: str = "pass", again: str = "pass", reap: str = "pass", count: int = 4, each: float = 0.2) -> str:
    """A program that lets its children compute one after the other, 0.8 seconds in all."""
    return CHILDREN.format(prepare=prepare, again=again, reap=reap, count=count, each=each)


FILES_KEPT = """
import ctypes, os, socket, time
libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
one, other = socket.socketpair()
for n in range(24):
    file = os.open('gone', os.O_CREAT | os.O_RDWR)
    os.write(file, b'x' * (1 << 20))
    {keep}
    os.unlink('gone'); os.close(file)
    print('REACHED', n + 1, flush=True); time.sleep(0.02)
"""
OWN_TABLE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static char megabyte[1 << 20];
static int hold(void *_) {
    for (int n = 1; n <= 24; n++) {
        int file = open("gone", O_CREAT | O_RDWR, 0600);
        if (write(file, megabyte, sizeof megabyte) != sizeof megabyte) _exit(1);
        unlink("gone");
        printf("REACHED %d\n", n); fflush(stdout); usleep(20000);
    }
    _exit(0);
}
int main(void) {
    int flags = CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;  /* not CLONE_FILES */
    if (clone(hold, (char *)malloc(1 << 16) + (1 << 16), flags, 0) < 0) return 1;
    sleep(5);
}
"""
FAMILIES = """
import socket
for family in (40, 38, 30, 31, 29, 44, 17, 21, 41):  # the hypervisor, cryptography, TIPC, Bluetooth, CAN, XDP, packets, RDS, KCM
    for make in (socket.socket, socket.socketpair):
        for kind in (1, 2, 3, 5):
            try: made = make(family, kind)
            except OSError: continue
            print('@HIT@')
"""
NEWS_OF_THE_KERNEL = """
import socket
for protocol in (4, 12, 15, 16, 9):  # news about sockets, filters, devices, generic, audit
    try: socket.socket(16, socket.SOCK_RAW, protocol)
    except OSError: continue
    print('@HIT@')
"""
QUEUE = r"""
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { unsigned long queue = 0; if (!syscall(SYS_io_setup, 1, &queue)) puts("@HIT@"); }
"""
WATCH_FILES = r"""
#include <stdio.h>
#include <sys/inotify.h>
int main(void) { if (inotify_init1(0) >= 0) puts("@HIT@"); }
"""
TUNABLES = """
for name in ('fs/mqueue/msg_max', 'kernel/shmmax', 'kernel/msgmax', 'net/ipv4/ip_default_ttl', 'user/max_inotify_watches'):
    try:
        with open(f'/proc/sys/{name}', 'r+') as tunable:  # the value it already has
            value = tunable.read(); tunable.seek(0); tunable.write(value); tunable.flush()
    except OSError: continue
    print('@HIT@')
"""
ATTACKS = (
    Attack("slows-its-init-process", INIT_PROCESS, "python", TRY.format(call="os.setpriority(os.PRIO_PROCESS, init_pid, 19)")),
    Attack("schedules-its-init-process", INIT_PROCESS, "python",
        TRY.format(call=IDLE)),
    Attack("limits-the-files-of-its-init-process", INIT_PROCESS, "python",
        TRY.format(call="resource.prlimit(init_pid, resource.RLIMIT_NOFILE, (64, 64))")),
    Attack("limits-the-time-of-its-init-process", INIT_PROCESS, "python",
        TRY.format(call="resource.prlimit(init_pid, resource.RLIMIT_CPU, (60, 60))")),
    Attack("opens-the-files-of-its-init-process", INIT_PROCESS, "python", OPEN_ITS_FILES),
    Attack("signals-its-init-process", INIT_PROCESS, "python", SIGNALS, stopped_or_late, limits={"wall_s": 1}),
    Attack("starves-its-init-process", "wall", "python", SESSIONS, late, limits={"wall_s": 1, "cpu_s": 30}),
    Attack("hides-behind-a-name", MEMORY, "python", grows(TAKE, r"libc.prctl(15, b'\xff) R 1 \xfe')"), reaches(100), limits=SMALL),
    Attack("hides-a-child-behind-a-name", CPU, "python",
        children(again=r"import ctypes; ctypes.CDLL(None).prctl(15, b'\xff\xfe')", reap="os.wait()"), limits=BRIEF),
    Attack("hides-behind-its-first-thread", MEMORY, "python", LEFT_BY_ITS_FIRST_THREAD, reaches(100), limits=SMALL),
    Attack("drops-shared-pages-from-view", MEMORY, "python",
        grows("kept.append(mmap.mmap(-1, 8 * MIB)); kept[-1].write(bytes(8 * MIB)); kept[-1].madvise(mmap.MADV_DONTNEED)"),
        reaches(100), limits=SMALL, machine_wide=True),
    Attack("keeps-one-page-of-each-shared-mapping", MEMORY, "python",
        grows("at = libc.mmap(None, 8 * MIB, 3, 0x21, -1, 0); ctypes.memset(at, 1, 8 * MIB); libc.munmap(at + 4096, 8 * MIB - 4096)"),
        reaches(100), limits=SMALL, machine_wide=True),
    Attack("holds-memory-in-page-tables", SUMMED, "c", PAGE_TABLES, reaches(100), limits=SMALL),
    Attack("holds-memory-in-sockets", SUMMED, "python", SOCKETS, reaches(48), limits=SMALL),
    Attack("holds-memory-in-pipes", KERNEL_MEMORY, "python", PIPES, reaches(40), limits={"memory_mib": 48}),
    Attack("keeps-a-page-in-a-pipe", MEMORY, "c", HUGE_PAGE_IN_A_PIPE),
    Attack("ignores-the-end-of-its-children", CPU, "python", children(IGNORED), limits=BRIEF),
    Attack("computes-in-grandchildren", CPU, "python", children(again="if os.fork(): os._exit(0)", reap="os.wait()"),
        limits=BRIEF),
    Attack("leaves-its-children-dead", CPU, "python", children(), limits=BRIEF),
    Attack("computes-in-children-too-short-to-be-seen", "cpu-unseen", "python", children(IGNORED, count=150, each=0.004),
        limits={"cpu_s": 0.3, "wall_s": 20}),
    Attack("fills-the-disk-with-files-only-mapped", "disk", "python",
        FILES_KEPT.format(keep="libc.mmap(None, 4096, 1, 1, file, 0)"), reaches(12), limits=TINY_DISK),
    Attack("fills-the-disk-with-files-in-flight", "disk", "python",
        FILES_KEPT.format(keep="socket.send_fds(one, [b'.'], [file])"), reaches(12), limits=TINY_DISK),
    Attack("fills-the-disk-with-files-of-a-thread", "disk", "c", OWN_TABLE, reaches(12), limits=TINY_DISK),
    Attack("makes-too-many-files", "disk", "python",
        "for n in range(24_000):\n    open(str(n), 'w').close()\n    if n % 500 == 0: print('REACHED', n, flush=True)",
        reaches(22_000), limits={"wall_s": 20, "cpu_s": 20}),
    Attack("reaches-the-kernel-by-odd-sockets", "network", "python", FAMILIES, kernel=True),
    Attack("asks-the-kernel-for-news", "network", "python", NEWS_OF_THE_KERNEL, kernel=True),
    Attack("sets-up-a-queue-of-asynchronous-io", "kernel-interfaces", "c", QUEUE, kernel=True),
    Attack("watches-files", "kernel-interfaces", "c", WATCH_FILES, kernel=True),
    Attack("writes-the-tunables-of-its-namespaces", "kernel-interfaces", "python", TUNABLES, says_hit, needs=("root",)),
)  # fmt: skip
