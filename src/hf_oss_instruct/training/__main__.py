"""`python -m hf_oss_instruct.training FILE`: the command `train`, in the form that `accelerate launch` starts."""

import sys

from hf_oss_instruct.display import visible
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.training.command import train

if __name__ == "__main__":
    try:
        train.main(prog_name="python -m hf_oss_instruct.training")
    except OssInstructError as error:
        sys.stderr.write(f"Error: {visible(str(error))}\n")
        sys.exit(2 if isinstance(error, UsageError) else 1)
