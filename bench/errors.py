"""The one exception for what a person can mend: a scenario, an argument, a file."""


class InputError(Exception):
    """Something given to the tool is wrong.

    The message names the thing, the place and the remedy (`scenarios/sd15.yaml:14: unknown key 'torch_type'; did you
    mean 'dtype'?`). The command line prints it and exits with 2.
    """
