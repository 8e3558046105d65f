"""The store on InfluxDB 1.8, 2.x or 3.x: written through the v2 API, read with InfluxQL."""
