"""Effects, pools and conversions over arrays; knows nothing of trials, files or tables."""
