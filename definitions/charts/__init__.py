"""Statecharts: the one interpreter of processes, by the algorithm of the SCXML recommendation."""
