"""Problem, solution and tests in the rows of any table: which columns hold them, and how they are read."""

from hf_oss_instruct.curation.pairs.columns import TableColumns, columns_of
from hf_oss_instruct.curation.pairs.texts import pair_rows

__all__ = ["TableColumns", "columns_of", "pair_rows"]
