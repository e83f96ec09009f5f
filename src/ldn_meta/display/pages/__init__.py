"""One module per notebook: everything a page shows, computed by one call."""
