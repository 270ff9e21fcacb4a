"""The doors that need no sign-in: report a hazard, follow it by a secret, verify a receipt.

In: requests of anybody. Out: a case opened through the ledger's doors with a signed receipt, what its reporter was told,
checks that run in the visitor's own browser. Nothing here knows who the visitor is, beyond a keyed hash that
limits how often one address asks.
"""
