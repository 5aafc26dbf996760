"""A copy of everything that people have given the portal, in one sealed file, and the way back from it (docs/adr/0027)."""
