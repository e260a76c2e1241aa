"""The typed records and the files of a run, which are all that analysis ever reads. No torch."""
