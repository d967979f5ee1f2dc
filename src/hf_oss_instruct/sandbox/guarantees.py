"""The guarantees that hold while untrusted code runs: short name → one sentence.

Each tier lists the guarantees it does not provide (`does_not_hold`); the conformance suite attacks every one of them.
"""

from __future__ import annotations

GUARANTEES: dict[str, str] = {
    "host-files-unreadable": "No file of the host can be read or listed, except the toolchains'.",
    "host-files-unwritable": "No file of the host can be created, changed, moved or removed.",
    "network": "No network of any family can be reached, and no port opened on the host.",
    "host-sockets": "No unix socket of the host, by path or abstract, can be reached.",
    "host-processes": "No process of the host can be seen, signaled, slowed down or traced, nor its memory read.",
    "environment": "The caller's environment variables are not visible, in the program or in any process it can see.",
    "descriptors": "No open file of the caller is inherited.",
    "ipc": "No System V or POSIX message or memory object of the host can be reached.",
    "cpu": "CPU time is limited, even if the program ignores signals.",
    "cpu-unseen": "CPU time includes processes that end within 20 ms and that nobody waits for.",
    "wall": "The caller gets a result within three seconds of the wall time limit, whatever the program and its children do.",
    "init-process": "The program cannot slow down, stop or limit the process that monitors it, or open its files.",
    "memory": "One process gets no more memory than the limit, in any form (shared, page tables), even if it raises its rlimits.",
    "memory-summed": "Processes that together hold more memory than the limit are stopped within a second.",
    "memory-summed-peak": "Processes together never hold more than the limit, not even for a moment.",
    "kernel-memory": "Kernel memory held for a program (pipes, locks, records of mappings and files) counts as its memory.",
    "processes": "No more processes and threads exist at once than the limit, even if the caller is root.",
    "disk": "The working and temporary folders together hold no more than the limit.",
    "shared-memory": "/dev/shm holds no more than the disk limit.",
    "output": "No more output is kept than the limit.",
    "survivors": "Nothing of the program outlives the run.",
    "terminal": "The program cannot type into the caller's terminal or write to it.",
    "io-uring": "io_uring is unavailable.",
    "user-namespaces": "No new user namespace can be created.",
    "kernel-interfaces": "No keyring, bpf, perf, userfaultfd, mount, device, kernel log or tunable can be reached.",
    "next-run": "A run leaves nothing behind that affects a later one.",
    "function-grading": "A function passes only by returning the expected values.",
    "program-grading": "A program with tests passes only by running past the last one.",
}
