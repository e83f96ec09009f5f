"""New rows: from an interview, a file of answers or a foreign table."""
