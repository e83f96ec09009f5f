"""One module per kind of figure; each drawn from tables that others computed."""
