"""Measure any callable: synchronized time, memory, warm-up and samples. Knows nothing of scenarios or diffusers."""
