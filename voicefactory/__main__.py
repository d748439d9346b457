"""`python -m voicefactory` is the `voicefactory` command."""

from voicefactory.cli import main

main()
