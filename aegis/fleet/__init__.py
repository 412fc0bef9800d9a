"""Runs many tasks on several processes, each computed once.

>>> from aegis.fleet.tasks import run_all
>>> class Square:
...     def needs(self): return ()
...     def makes(self): return ()
...     def find(self): return None
...     def run(self, workers=None): return 7 * 7
>>> list(run_all([Square()], jobs=1))
[(0, 49, True)]
"""
