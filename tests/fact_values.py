"""The numbers that a page states for machines."""


def numbers_in(facts):
    """Yield every number of nested facts as a float; truth values are none."""
    if isinstance(facts, dict):
        for value in facts.values():
            yield from numbers_in(value)
    elif isinstance(facts, list):
        for value in facts:
            yield from numbers_in(value)
    elif isinstance(facts, int | float) and not isinstance(facts, bool):
        yield float(facts)
