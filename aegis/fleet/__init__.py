"""Runs many tasks on several processes, each computed once.

>>> from aegis.fleet.tasks import run_all
>>> class Square:
...     def find(self): return None
...     def keep(self, record): print("saved", record)
...     def run(self, workers=None): return 7 * 7
>>> list(run_all([Square()], jobs=1))
[(0, 49, True)]
"""
