"""The result files and their schema: what a run leaves behind, and all that analysis ever reads. No torch."""
