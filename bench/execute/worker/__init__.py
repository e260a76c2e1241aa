"""The child's side of the pipe: the fork server, and what one worker process does with one request."""
