"""`python -m bellwether.contracts`: the same commands without the whole command line."""

from bellwether.contracts.app import app

if __name__ == "__main__":
    app()
