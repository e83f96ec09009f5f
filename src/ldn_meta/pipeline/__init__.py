"""TODO-lead."""
