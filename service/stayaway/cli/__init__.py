"""The command line: wiring and printing, nothing else."""

from stayaway.cli.app import main

__all__ = ["main"]
