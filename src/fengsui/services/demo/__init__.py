"""The demonstration's data: a whole region of made-up offices, people, sites and points, the same from the same seed."""
