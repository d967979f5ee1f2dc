"""`python -m hf_oss_instruct.training FILE`: the command `train`, in the form that `accelerate launch` starts."""

from hf_oss_instruct.terminal.process import run_and_exit
from hf_oss_instruct.training.command import train

if __name__ == "__main__":
    run_and_exit(lambda: train.main(prog_name="python -m hf_oss_instruct.training", standalone_mode=False))
