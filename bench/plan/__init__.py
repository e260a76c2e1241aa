"""From YAML to cases: load and validate scenarios, expand them, choose. Knows nothing of torch or result files."""
