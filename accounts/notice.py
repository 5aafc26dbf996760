"""Which privacy notice is in force. Pure."""

# The text is templates/accounts/privacy.html. Whoever changes what it says gives it a new version here: then everybody
# is asked once more (PIPL, article 14). tests/accounts/test_rights.py keeps text and version together.
NOTICE_VERSION = "2026-12-2"
