"""Places, offices, posts, people, sites, hazard units, points."""
