"""What is guaranteed when an untrusted program runs: one sentence per guarantee, by its short name.

A tier lists the names it does not hold (`does_not_hold`); the conformance suite attacks each of them.
"""

from __future__ import annotations

GUARANTEES: dict[str, str] = {
    "host-files-unreadable": "No file of the host can be read or listed, except the toolchains'.",
    "host-files-unwritable": "No file of the host can be created, changed, moved or removed.",
    "network": "No network of any family can be reached, and no port opened on the host.",
    "host-sockets": "No unix socket of the host, by path or abstract, can be reached.",
    "host-processes": "No process of the host can be seen, signalled, slowed or traced, nor its memory read.",
    "environment": "The caller's environment is not visible, neither in the program's own nor in that of any process it can see.",
    "descriptors": "No open file of the caller is inherited.",
    "ipc": "No System V or POSIX message or memory object of the host can be reached.",
    "cpu": "CPU time ends at its limit, whichever signals are ignored.",
    "cpu-unseen": "CPU time also counts of processes that end within 20 ms and that nobody waits for.",
    "wall": "The caller has an answer within three seconds of the wall limit, whatever the program and its children do.",
    "init-process": "What watches over a run cannot be slowed, stopped or limited by it, nor its files be opened.",
    "memory": "One process gets no more memory than the limit, in any form (shared, page tables), also after raising its limits.",
    "memory-summed": "Processes that together hold more memory than the limit are stopped within a second.",
    "memory-summed-peak": "Processes together never hold more than the limit, not even for a moment.",
    "kernel-memory": "What the kernel holds for a program (pipes, locks, records of mappings and files) counts as its memory.",
    "processes": "No more processes and threads exist at once than the limit, also when the caller is root.",
    "disk": "No more is written to the work and temporary folders, together, than the limit.",
    "shared-memory": "No more is written to /dev/shm than the disk limit.",
    "output": "No more output is kept than the limit.",
    "survivors": "Nothing of the program outlives the run.",
    "terminal": "Nothing is typed into or shown on the caller's terminal.",
    "io-uring": "There is no io_uring.",
    "user-namespaces": "No new user namespace can be made.",
    "kernel-interfaces": "No keyring, bpf, perf, userfaultfd, mount, device, kernel log or tunable can be reached.",
    "next-run": "Nothing that a run leaves reaches a later one.",
    "function-grading": "A function passes only by returning the expected values.",
    "program-grading": "A program with tests passes only by running past the last one.",
}
