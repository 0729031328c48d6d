"""`python -m stayaway`."""

from stayaway.cli import main

main()
