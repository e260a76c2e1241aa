"""Tables and plots of what analysis found. Knows nothing about torch or about how things were measured."""
