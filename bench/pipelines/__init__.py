"""From a case to a ready pipeline: model facts, weights, optimisations, and what is really in force afterwards."""
