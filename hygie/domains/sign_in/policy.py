"""What a password may not be."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from hygie.domains.sign_in.model.passwords import is_common


class NotBreached:
    """A Django password validator: refuse what breaches made public, without asking anybody."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError where the password is listed, or is a listed one disguised."""
        del user
        if is_common(password):
            raise ValidationError(
                _("Ce mot de passe est dans les listes de mots de passe volés."), code="breached"
            )

    def get_help_text(self) -> str:
        """Return the rule in one sentence."""
        return _("Un mot de passe qui circule sur Internet est refusé.")
