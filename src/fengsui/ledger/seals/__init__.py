"""Seals: what makes a record that somebody relied on impossible to change unnoticed.

In: the canonical bytes of an entry. Out: leaves, a growing RFC 6962 tree, signed heads, proofs.
Nothing here decides what may be done to a case, and the pure parts (``canon``, ``change``, ``tree``)
know neither Django nor a clock.
"""
