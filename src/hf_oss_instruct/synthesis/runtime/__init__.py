"""The process in which requests are sent: event loop, threads, signals, memory."""
