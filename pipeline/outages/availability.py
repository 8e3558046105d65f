"""Availability of access points, sites, kinds and the city over any period. Written by AVAIL."""
