"""What a command does, from a request to its outcome: measure a plan, tune a model, gate two environments."""
