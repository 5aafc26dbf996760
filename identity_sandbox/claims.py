"""What the provider says about an account: `sub` alone in the ID token, the rest at the userinfo endpoint."""

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request


class PlatformValidator(OAuth2Validator):
    def get_claim_dict(self, request: Request) -> dict[str, str]:
        return {"sub": request.user.subject}

    def get_userinfo_claims(self, request: Request) -> dict[str, str | bool]:
        claims = super().get_userinfo_claims(request)
        if "profile" in request.scopes:
            claims |= request.user.vouched_claims()
        return claims

    def get_discovery_claims(self, request: Request) -> list[str]:
        return ["sub", "name", "id_type", "id_number", "phone_number", "phone_number_verified"]

    def validate_silent_login(self, request: Request) -> bool:
        """prompt=none: whether anybody is signed in is for the view to see; it answers login_required itself."""
        return True

    def validate_silent_authorization(self, request: Request) -> bool:
        """prompt=none: the portal needs nobody's consent (skip_authorization)."""
        return True
