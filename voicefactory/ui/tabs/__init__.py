"""One file a step. Each has `build(page)`, called inside its tab."""
