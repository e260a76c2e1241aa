"""Tables and plots of what analysis found. Knows nothing of torch or of how it was measured."""
