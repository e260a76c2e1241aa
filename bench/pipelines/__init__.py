"""From a case to a ready pipeline: model facts, weights, optimizations, and what is in effect afterwards."""
