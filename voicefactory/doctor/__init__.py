"""Is this machine fit to make voices? Checks that change nothing, each with a remedy; `examine.py` runs them all."""
