"""One package an engine. Outside this folder only `base` and `registry` are imported."""
