"""From typed rows to effects with variances."""
