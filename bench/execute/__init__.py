"""Run each case in a fresh process, here or elsewhere, over one protocol. Failures become rows, never gaps."""
