"""The door from the shell: one file a family of commands, each thin."""
