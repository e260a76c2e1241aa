"""The command line, a door of the package: one thin file per family of commands."""
