"""Fengsui 烽燧: every matter is a case with somebody who answers for it and a running clock."""

__version__ = "0.1.0"
