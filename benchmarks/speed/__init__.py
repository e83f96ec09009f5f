"""The parts of the speed measurement that `benchmarks/pooling.py` runs."""
