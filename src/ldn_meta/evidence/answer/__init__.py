"""From effects to the answer of one question."""
