"""Measure any callable: synchronized time, memory, warm-up and samples. Knows nothing about scenarios or diffusers."""
