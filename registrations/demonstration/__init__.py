"""The demonstration: invented plans, people and registrations, as a portal in the middle of a season has them."""
