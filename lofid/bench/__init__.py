"""How late lofid plays on this machine, beside a plain loop, and what it costs.

:mod:`lofid.bench.measuring` does it all; :mod:`lofid.bench.rival` and :mod:`lofid.bench.loads` are
also programs of their own.
"""
