"""Commands of ``ldn-meta`` that ask, read or write more than a line of options."""
