"""Runs over the rows of any table: which columns hold what, rows in our columns, and the folder in which a run resumes."""

from hf_oss_instruct.synthesis.tables.source import SourceRows, read_source
from hf_oss_instruct.synthesis.tables.table_run import TableResult, TableRun

__all__ = ["SourceRows", "TableResult", "TableRun", "read_source"]
