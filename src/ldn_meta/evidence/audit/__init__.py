"""What papers print and what they conclude, held against the data."""
