"""The engine: items → tasks → rows, with bounded concurrency, each answer on disk before it is used, and nothing lost.

    item ─task→ request ─journal or teacher→ completion ─task→ row ─next task→ … → row | rejection     (no answer: pending)

`outcomes` is the whole of it. Items are seeds or rows. Several tasks in a row share one rate limiter, one budget and one journal,
and no item waits for another: it moves on to the next task when its answer arrives.
"""

from hf_oss_instruct.synthesis.engine.driver import outcomes

__all__ = ["outcomes"]
