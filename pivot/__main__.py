"""`python -m pivot` is `git pivot`."""

from pivot.cli.entry import main

if __name__ == "__main__":
    main()
