"""From result files to answers: medians, speed-ups, documented claims. Reads files only; knows nothing about torch."""
