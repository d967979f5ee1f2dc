"""What every command shares: options, output, signals and exit codes."""
