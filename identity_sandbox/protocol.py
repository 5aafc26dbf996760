"""Two corrections to the provider's own views: judge a request before asking for a password, and let people give up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.views import AuthorizationView
from oauth2_provider.views.mixins import OAuthLibMixin


@method_decorator(never_cache, name="dispatch")
class Authorize(AuthorizationView):
    def handle_no_permission(self) -> HttpResponse:
        """A request that can come to nothing is refused at once, not after the password was typed."""
        try:
            self.validate_authorization_request(self.request)
        except OAuthToolkitError as error:
            return self.error_response(error, application=None)
        return super().handle_no_permission()


@method_decorator(never_cache, name="dispatch")
class Cancel(OAuthLibMixin, View):
    """Takes the query of an authorization request and answers it with access_denied."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            scopes, credentials = self.validate_authorization_request(request)
            self.create_authorization_response(request, " ".join(scopes), credentials, allow=False)
        except OAuthToolkitError as error:
            to_the_portal, answer = self.error_response(error)
            if to_the_portal:
                return OAuth2ResponseRedirect(answer["url"], ["http", "https"])
            return render(request, "oauth2_provider/authorize.html", answer, status=answer["error"].status_code)
        raise AssertionError("allow=False always raises")
