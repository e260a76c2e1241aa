"""`python -m bench` is the same as the console script `diffusion-bench`."""

from bench.cli.app import main

if __name__ == "__main__":
    main()
