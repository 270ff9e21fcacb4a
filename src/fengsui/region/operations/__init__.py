"""What an administrator may change, each as a form and what it does: offices, posts, people, sites, contacts.

A page and an endpoint serve them all; a new one is a new ``Operation`` in one of these files.
"""

from . import ahead, certificates, contacts, delegations, offices, people, posts, sites, units
from .shape import ChangeForm, Operation, Outcome, find, known

__all__ = ["ChangeForm", "Operation", "Outcome", "find", "known"]

MODULES = (posts, people, certificates, delegations, offices, contacts, sites, units, ahead)
