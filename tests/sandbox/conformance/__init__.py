"""Does a sandbox hold its guarantees? Attacks that work on a bare subprocess, and well-behaved programs that must work everywhere.

Written from `hf_oss_instruct.sandbox.guarantees` alone, by someone who had not seen the sandbox. It needs the standard library only,
so that an ordinary user can run it with the system's Python: `python -m tests.sandbox.conformance`.
"""
