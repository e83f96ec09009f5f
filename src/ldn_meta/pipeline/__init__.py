"""From checked tables to published reports: running, filing, showing."""
