"""``python -m huaxiang.api`` is the command line."""

from huaxiang.api.command import main

if __name__ == "__main__":
    main()
