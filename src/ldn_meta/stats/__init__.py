"""Statistics: arrays in, frozen records out; knows nothing of files, tables or naltrexone."""
