"""Exercises: a scenario plays signals and calls into the real system, flagged, and scores the answers.

In: a scenario file, the running system. Out: signals to the stream, acts through the ledger's doors in the
name of the demonstration's people where nobody answered, and a score sheet in the data folder that the
exercise page reads. It never writes a case by any other way, and never touches cases that are not flagged.
"""
