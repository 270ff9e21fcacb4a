"""Places, offices, posts, people, sites, hazard units, points."""

from .accounts import Account
from .changes import Change, Coming, OfficeName, Supervision
from .offices import Contact, Office, Revision
from .people import Certificate, Delegation, Holding, Person, Post
from .places import Place
from .sites import HazardUnit, Point, Site, Substance

__all__ = [
    "Account",
    "Certificate",
    "Change",
    "Coming",
    "Contact",
    "Delegation",
    "HazardUnit",
    "Holding",
    "Office",
    "OfficeName",
    "Person",
    "Place",
    "Point",
    "Post",
    "Revision",
    "Site",
    "Substance",
    "Supervision",
]
