"""Verification as tasks of the engine: tests and further solutions are requested, run, and repaired."""

from hf_oss_instruct.synthesis.verifying.setup import open_verification
from hf_oss_instruct.synthesis.verifying.shared import Verification
from hf_oss_instruct.synthesis.verifying.tasks import Prepare

__all__ = ["Prepare", "Verification", "open_verification"]
