"""The one exception for what a user can fix: a scenario, an argument, a file."""


class InputError(Exception):
    """Input that cannot be used.

    The message names the thing, the place and the remedy, as in `scenarios/sd15.yaml:14: unknown key 'torch_type'; did
    you mean 'dtype'?`. The command line prints it and exits with 2.
    """
