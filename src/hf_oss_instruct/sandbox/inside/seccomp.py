"""The seccomp filter: which system calls a program may not make, written as BPF so that no library is needed.

A filter is a short program for the kernel's classic BPF machine: load the architecture, the call's number or an argument;
compare; return a verdict. It is a deny-list: an ordinary computation needs none of the calls below, and each of them has been a
way out of a sandbox or around one of its limits. `seccomp(2)` and `linux/seccomp.h` are the reference for the numbers.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct

from .kernel import SET_NO_NEW_PRIVS, prctl, syscall

# SECCOMP_RET_* verdicts, BPF instruction codes.
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
# The bit of x32 calls: they have the architecture of x86-64, but other numbers, which the list below would not match.
X32 = 0x40000000
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag, the time namespace included

# name: (x86-64, aarch64); None if the architecture has no such call.
CALLS: dict[str, tuple[int | None, int | None]] = {
    # asynchronous-I/O rings: file and network work that no filter sees
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # tracing, and the memory and descriptors of other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "perf_event_open": (298, 241), "bpf": (321, 280),
    "userfaultfd": (323, 282), "lookup_dcookie": (212, 18),
    # kernel keyrings
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # mounts, namespaces, roots
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_tree_attr": (467, 467), "setns": (308, 268), "unshare": (272, 97),
    # the machine
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "syslog": (103, 116),
    "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "iopl": (172, None), "ioperm": (173, None), "uselib": (134, None),
    "vhangup": (153, 58), "sethostname": (170, 161), "setdomainname": (171, 162), "nfsservctl": (180, 42),
    # memory that belongs to no process, so that summing over processes misses it
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180),
    "vmsplice": (278, 75),  # a pipe keeps a huge page for each byte of it
    # what belongs to the user on the whole machine: queues of asynchronous I/O, watches of files
    "io_setup": (206, 0), "inotify_init": (253, None), "inotify_init1": (294, 26),
    # files by handle; notifications about other users' files
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
}  # fmt: skip

UNIX, NETLINK = 1, 16
FAMILIES = (UNIX, 2, 10, NETLINK)  # with AF_INET and AF_INET6
# Without namespaces: what landlock does not cover, and what hides open files from polling.
NETWORK = {"socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "sendmsg": (46, 211), "sendmmsg": (307, 269)}
OWNERSHIP = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
# Without namespaces programs run as the user whose other processes these calls could slow down or move.
PRIORITY = {"setpriority": (141, 140), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239)}
# It takes the ID of any process, and so could change the limits of another one.
LIMITS = (302, 261)  # prlimit64
SCHEDULING = {"sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
              "sched_setattr": (314, 274)}  # fmt: skip
CLONE, CLONE3, IOCTL, SOCKETPAIR, SETSOCKOPT = (56, 220), (435, 435), (16, 29), (53, 199), (54, 208)
INIT_PID = 1  # process ID of the init process in the program's PID namespace
WHICH_USER = {"setpriority": 2, "ioprio_set": 3}  # the first argument that means: every process of a user, the init process too
THREAD, FILES = 0x10000, 0x400  # flags of clone
BUFFERS = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and their FORCE
INPUT_IOCTLS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


@functools.cache
def build(machine: str, *, namespaces: bool) -> bytes:
    """Build the filter for an architecture.

    Args:
        machine: `x86_64` or `aarch64`, as `os.uname` calls it.
        namespaces: whether the program has its own namespaces; if not, the network, ownership of files and the scheduling of
            other processes are refused here.

    Raises:
        OSError: the architecture is not supported.
    """
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no system call numbers are known for {machine!r}")
    column, architecture = MACHINES[machine]
    # Architecture first: the numbers mean other calls on another one, such as 32-bit calls on x86-64.
    lines = [_line(LOAD, ARCHITECTURE), _line(EQUAL, architecture, 1, 0), _line(RETURN, KILL), _line(LOAD, NUMBER)]
    if machine == "x86_64":
        lines += [_line(AT_LEAST, X32, 0, 1), _line(RETURN, KILL)]
    refused = CALLS if namespaces else CALLS | NETWORK | PRIORITY
    lines += [part for numbers in refused.values() for part in _verdict(numbers[column], ERRNO | errno.EPERM)]
    lines += _by_arguments(column, namespaces)
    return b"".join([*lines, _line(RETURN, ALLOW)])


def _by_arguments(column: int, namespaces: bool) -> list[bytes]:
    """Build the rules for calls that are refused only with some arguments."""
    # libc falls back to clone, whose flags are visible here; those of clone3 are behind a pointer.
    lines = _verdict(CLONE3[column], ERRNO | errno.ENOSYS)
    lines += _when(CLONE[column], 0, [_line(ANY_BIT, NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM)])
    # A thread with its own file table would hide its files: only those of the main thread are checked.
    apart = [_line(AND, THREAD | FILES), _line(EQUAL, THREAD, 0, 1), _refuse(errno.EPERM)]
    lines += _when(CLONE[column], 0, apart)
    for request in INPUT_IOCTLS:
        lines += _when(IOCTL[column], 1, [_line(EQUAL, request, 0, 1), _refuse(errno.EPERM)])
    # Report success without doing it: a socket's buffer is kernel memory.
    sizes = [part for option in BUFFERS for part in (_line(EQUAL, option, 0, 1), _line(RETURN, ERRNO))]
    lines += _when(SETSOCKOPT[column], 1, [_line(EQUAL, 1, 0, 1 + len(sizes)), _load(2), *sizes])
    lines += _when(SOCKETPAIR[column], 0, [_line(EQUAL, UNIX, 1, 0), _refuse(errno.EAFNOSUPPORT)])
    return lines + (_with_namespaces(column) if namespaces else _without(column))


def _with_namespaces(column: int) -> list[bytes]:
    """A network namespace holds a few families; others, such as the socket to a hypervisor, know nothing of namespaces."""
    socket = NETWORK["socket"][column]
    families = [_line(EQUAL, family, left, 0) for left, family in zip(range(len(FAMILIES), 0, -1), FAMILIES, strict=True)]
    lines = _when(socket, 0, [*families, _refuse(errno.EAFNOSUPPORT)])
    protocol = [_load(2), _line(EQUAL, 0, 1, 0), _refuse(errno.EPROTONOSUPPORT)]
    lines += _when(socket, 0, [_line(EQUAL, NETLINK, 0, len(protocol)), *protocol])  # only NETLINK_ROUTE, which lists interfaces
    # The init process may run as the same user: its priority and limits must not be changed.
    for numbers in (*SCHEDULING.values(), LIMITS):
        lines += _when(numbers[column], 0, [_line(EQUAL, INIT_PID, 0, 1), _refuse(errno.EPERM)])
    for name, everybody in WHICH_USER.items():
        lines += _when(PRIORITY[name][column], 0, [_line(EQUAL, everybody, 0, 1), _refuse(errno.EPERM)])
        lines += _when(PRIORITY[name][column], 1, [_line(EQUAL, INIT_PID, 0, 1), _refuse(errno.EPERM)])
    return lines


def _without(column: int) -> list[bytes]:
    # Nothing happens and nothing fails: libraries that copy files would stumble over an error, and Mono, which calls its
    # threads by their numbers, prints one into the program's output.
    lines = [part for numbers in OWNERSHIP.values() for part in _verdict(numbers[column], ERRNO)]
    for numbers in SCHEDULING.values():
        lines += _when(numbers[column], 0, [_line(EQUAL, 0, 1, 0), _line(RETURN, ERRNO)])
    lines += _when(LIMITS[column], 0, [_line(EQUAL, 0, 1, 0), _refuse(errno.EPERM)])
    # A datagram socket can name any receiver later; a connected stream cannot.
    return lines + _when(SOCKETPAIR[column], 1, [_line(AND, 0xF), _line(EQUAL, 2, 0, 1), _refuse(errno.EPERM)])


def apply(program: bytes) -> None:
    """Apply a filter permanently to this process and all that it starts."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    # Required by the kernel for filters of unprivileged processes.
    prctl(SET_NO_NEW_PRIVS, 1)
    # 1 is SECCOMP_SET_MODE_FILTER.
    syscall("seccomp", 317 if os.uname().machine == "x86_64" else 277, 1, 0, header)


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _load(argument: int) -> bytes:
    """Load the lower half of an argument of the call."""
    return _line(LOAD, ARGUMENTS + 8 * argument)


def _refuse(code: int) -> bytes:
    return _line(RETURN, ERRNO | code)


def _verdict(number: int | None, verdict: int) -> list[bytes]:
    return [] if number is None else [_line(EQUAL, number, 0, 1), _line(RETURN, verdict)]


def _when(number: int | None, argument: int, body: list[bytes]) -> list[bytes]:
    """Test an argument of one call, then reload the call's number. Empty if the architecture lacks the call."""
    # The accumulator holds the call's number for all rules after this one.
    inner = [_load(argument), *body, _line(LOAD, NUMBER)]
    return [] if number is None else [_line(EQUAL, number, 0, len(inner)), *inner]
