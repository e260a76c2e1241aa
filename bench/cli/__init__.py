"""The door from the shell: one thin file per family of commands."""
