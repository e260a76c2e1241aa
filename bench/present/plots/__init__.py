"""Plots of a run. Each kind is one function, registered once with its caption; `page` holds what they share."""
