"""Files and folders: output folders, caches, tables, and arrays that grow on disk."""
