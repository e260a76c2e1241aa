"""The child's side: a fork server, and the worker process that measures one case and reports events."""
