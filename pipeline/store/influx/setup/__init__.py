"""`spotwatch db setup`: what an InfluxDB needs before the first sample, in each major version."""
