"""What makes layers fast, behind the readable ones: tiles, buffers that are used again, threads."""
