"""Measure any callable: synchronised time, memory, warm-up and samples. Knows nothing of scenarios or diffusers."""
