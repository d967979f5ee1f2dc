"""Code shared by all commands: options, output, signals and exit codes."""
