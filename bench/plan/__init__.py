"""From YAML to cases: load, validate, expand and choose. Knows nothing about torch or result files."""
