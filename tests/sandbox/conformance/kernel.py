"""Attacks on interfaces of the kernel that go around file, network and process walls. A kernel may lack some of them."""

from __future__ import annotations

from .attack import Attack

HEAD = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static char room[4096] __attribute__((aligned(64)));
static int leave(void *_) { return 0; }
static void hit(int so) { if (so) puts("@HIT@"); }
"""


def _c(body: str) -> str:
    return HEAD + "int main(void) {\n" + body + "\n}\n"


CLONE3 = r"""
    unsigned long args[11] = {CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, SIGCHLD};
    long child = syscall(SYS_clone3, args, sizeof args);
    if (!child) _exit(0);
    hit(child > 0);
"""
PERF = r"""
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_TASK_CLOCK};
    event.exclude_kernel = event.exclude_hv = 1;
    hit(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) >= 0);
"""
INT80 = r"""
    long number = 288, got = -1;  /* keyctl by the 32-bit door, which a filter of 64-bit numbers does not see */
#ifdef __x86_64__
    __asm__ volatile("int $0x80" : "=a"(got) : "a"(number), "b"(KEYCTL_GET_KEYRING_ID), "c"(-2), "d"(1) : "memory");
#endif
    hit(got > 0);
"""
TUNABLE = """
with open('/proc/sys/vm/overcommit_memory', 'r+') as tunable:  # the value it already has
    value = tunable.read(); tunable.seek(0); tunable.write(value); tunable.flush()
print('@HIT@')
"""
INTERFACES = "kernel-interfaces"
ATTACKS = (
    Attack("sets-up-io-uring", "io-uring", "c", _c("hit(syscall(SYS_io_uring_setup, 4, room) >= 0);"), kernel=True),
    Attack("unshares-a-user-namespace", "user-namespaces", "c", _c("hit(!unshare(CLONE_NEWUSER));"), kernel=True),
    Attack("clones-into-a-user-namespace", "user-namespaces", "c",
        _c("hit(clone(leave, room + sizeof room, CLONE_NEWUSER | SIGCHLD, 0) > 0); wait(0);"), kernel=True),
    Attack("clones-into-a-user-namespace-by-clone3", "user-namespaces", "c", _c(CLONE3), kernel=True),
    Attack("unshares-a-user-namespace-in-shell", "user-namespaces", "shell",
        "unshare --user --map-root-user --mount --net echo @HIT@", kernel=True),
    Attack("stores-a-key", INTERFACES, "c", _c('hit(syscall(SYS_add_key, "user", "@MARK@", "x", 1, KEY_SPEC_PROCESS_KEYRING) > 0);'), kernel=True),
    Attack("reaches-keys-by-the-32-bit-door", INTERFACES, "c", _c(INT80), kernel=True),
    Attack("loads-bpf", INTERFACES, "c", _c("unsigned map[18] = {2, 4, 4, 1}; hit(syscall(SYS_bpf, 0, map, sizeof map) >= 0);"),
        kernel=True),
    Attack("opens-a-performance-counter", INTERFACES, "c", _c(PERF), kernel=True),
    Attack("handles-page-faults", INTERFACES, "c", _c("hit(syscall(SYS_userfaultfd, 1) >= 0);"), kernel=True),
    Attack("mounts", INTERFACES, "c",
        _c('hit(!unshare(CLONE_NEWNS) && !mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) && !mount("none", ".", "tmpfs", 0, 0));'),
        needs=("root",), kernel=True),
    Attack("opens-a-mount", INTERFACES, "c", _c('hit(syscall(SYS_fsopen, "tmpfs", 0) >= 0);'), needs=("root",), kernel=True),
    Attack("enters-the-namespaces-of-a-process", INTERFACES, "c",
        _c('hit(!setns(open("/proc/@PID@/ns/uts", O_RDONLY), 0));'), needs=("root",), kernel=True),
    Attack("reads-the-kernel-log", INTERFACES, "c", _c("hit(klogctl(3, room, sizeof room) > 0);"), kernel=True),
    Attack("writes-a-tunable", INTERFACES, "python", TUNABLE, needs=("root",), kernel=True),
    Attack("watches-every-file", INTERFACES, "c", _c("hit(syscall(SYS_fanotify_init, 0, 0) >= 0);"), needs=("root",), kernel=True),
)  # fmt: skip
