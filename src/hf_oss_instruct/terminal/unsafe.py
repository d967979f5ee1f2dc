"""What help and warnings say about `--unsafe-no-sandbox`, an option of several commands and of verification."""

UNSAFE_HELP = "Run programs without isolation, for disposable machines. Every result records it."
UNSAFE_WARNING = "Untrusted programs run without a sandbox, as your user, with access to your files and network."
