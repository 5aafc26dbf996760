"""{% form_key %}: the hidden field by which a form that is sent twice is done once (accounts/once.py)."""

import secrets

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.once import FIELD

register = template.Library()


@register.simple_tag
def form_key() -> SafeString:
    """Another one each time that a form is shown."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, secrets.token_urlsafe(16))
