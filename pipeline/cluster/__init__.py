"""Usage of years, computed by many machines: the same functions, run by a Dask cluster."""
