"""`python -m bench` is the same as the console script `diffusion-bench`: nothing comes from the current directory.

`-m` put that directory first in the import path, so that this package would be found. Nothing else is wanted from it.
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]
    from bench.cli.app import main

    main()
