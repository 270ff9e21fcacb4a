"""Places, offices, posts, people, sites, hazard units, points."""

from .accounts import Account
from .offices import Contact, Office, Revision
from .people import Certificate, Delegation, Holding, Person, Post
from .places import Place
from .sites import HazardUnit, Point, Site, Substance

__all__ = [
    "Account",
    "Certificate",
    "Contact",
    "Delegation",
    "HazardUnit",
    "Holding",
    "Office",
    "Person",
    "Place",
    "Point",
    "Post",
    "Revision",
    "Site",
    "Substance",
]
