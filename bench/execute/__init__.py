"""Measure each case in a fresh process. This folder is the parent's side; `worker` is the child's.

A process that fails still leaves a record that says how, so that no case is missing from the results.
"""
