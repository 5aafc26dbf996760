"""A stand-in for the city's unified identity platform, for the demo and for tests: never for production.

Its accounts and their password are published, and whoever registers here may claim to be anybody.
The portal never imports this package and this package never imports the portal; they meet only over OpenID Connect.
"""
