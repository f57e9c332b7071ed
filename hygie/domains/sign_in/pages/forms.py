"""The forms of accounts; pasting and password managers are welcome in each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.forms import LoginForm
from allauth.core import context
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from hygie.domains.sign_in.model.accounts import Kind
from hygie.domains.sign_in.service import proving
from hygie.domains.sign_in.service.desk import PAPERS

if TYPE_CHECKING:
    from hygie.domains.sign_in.orm import User

PAPER_WORDS = {
    "identity-card": _("Carte d’identité"),
    "passport": _("Passeport"),
    "residence-permit": _("Titre de séjour"),
    "driving-licence": _("Permis de conduire"),
}
WRONG_CODE = _("Le code n’est pas le bon, ou il a déjà servi.")
TELEPHONE = RegexValidator(r"^\+[1-9]\d{6,14}$", _("Écrivez le numéro comme +33612345678."))
MOST_CODE = 40


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Login and password, and a code where too many strangers tried."""

    code = forms.CharField(label=_("Code"), required=False, max_length=MOST_CODE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("Identifiant ou adresse e-mail")
        login.widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        password.label = _("Mot de passe")
        password.help_text = ""
        password.widget.attrs = {"autocomplete": "current-password"}
        self.fields["code"].widget.attrs = {"autocomplete": "one-time-code"}
        wanted = self.request.GET.get("login", "") if self.request else ""
        login.initial = wanted[:150]

    def is_slowed(self) -> bool:
        """Tell whether a code is wanted beside the password."""
        return any(one.code == "slowed" for one in self.errors.as_data().get("__all__", []))


class CodeForm(forms.Form):
    """The second proof: a code of the application, of a list, of a message, or a spare one."""

    code = forms.CharField(label=_("Code"), max_length=MOST_CODE)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs = {"autocomplete": "one-time-code"}

    def clean_code(self) -> str:
        """Use the code."""
        typed = str(self.cleaned_data["code"])
        given = proving.check(context.request, self.user, typed)
        if given is None:
            raise ValidationError(WRONG_CODE)
        self.given = given
        return typed

    def save(self) -> None:
        """Keep what was proven."""
        proving.record(context.request, self.user, self.given)


class ConfirmForm(forms.Form):
    """The password, and a code where the account has a second factor."""

    password = forms.CharField(
        label=_("Mot de passe"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    code = forms.CharField(label=_("Code"), max_length=MOST_CODE)

    def __init__(self, *args: Any, password: bool, code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs = {"autocomplete": "one-time-code"}
        if not password:
            del self.fields["password"]
        if not code:
            del self.fields["code"]


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password1 = forms.CharField(
        label=_("Nouveau mot de passe"),
        help_text=_("Douze caractères au moins. Une phrase courte est plus facile à retenir."),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Nouveau mot de passe, encore une fois"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Compare both."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("password1") != cleaned.get("password2"):
            self.add_error("password2", _("Les deux mots de passe ne sont pas les mêmes."))
        return cleaned


class SheetForm(NewPasswordForm):
    """What is printed on a sheet, the birth date, and the password to have from now on."""

    code = forms.CharField(
        label=_("Code de la feuille"),
        help_text=_("Seize lettres et chiffres, par groupes de quatre. Les tirets sont inutiles."),
        max_length=MOST_CODE,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )
    birth = forms.DateField(
        label=_("Date de naissance"),
        help_text=_("Par exemple : 03/05/1958"),
        input_formats=["%d/%m/%Y", "%Y-%m-%d", "%d %m %Y", "%d.%m.%Y"],
        widget=forms.TextInput({"autocomplete": "bday"}),
    )
    field_order = ("code", "birth", "password1", "password2")


class RecoverForm(NewPasswordForm):
    """A login, two things somebody still has, and a new password."""

    login = forms.CharField(
        label=_("Identifiant ou adresse e-mail"),
        max_length=150,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none"}),
    )
    recovery = forms.CharField(label=_("Un code de secours"), max_length=MOST_CODE)
    code = forms.CharField(
        label=_("Le code de votre application"),
        max_length=MOST_CODE,
        widget=forms.TextInput({"autocomplete": "one-time-code"}),
    )
    field_order = ("login", "recovery", "code", "password1", "password2")


class PhoneForm(forms.Form):
    """A telephone number, in international form."""

    phone = forms.CharField(
        label=_("Numéro de téléphone"),
        help_text=_("Par exemple : +33612345678"),
        max_length=20,
        validators=[TELEPHONE],
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"}),
    )

    def clean_phone(self) -> str:
        """Return the number without spaces."""
        return str(self.cleaned_data["phone"]).replace(" ", "")


class DeskForm(forms.Form):
    """Whose account, and the birth date that is read on an identity paper."""

    login = forms.CharField(
        label=_("Identifiant ou adresse e-mail du compte"),
        max_length=150,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )
    birth = forms.DateField(
        label=_("Date de naissance lue sur la pièce d’identité"),
        help_text=_("Par exemple : 03/05/1958"),
        input_formats=["%d/%m/%Y", "%Y-%m-%d"],
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    paper = forms.ChoiceField(
        label=_("Pièce d’identité montrée"),
        choices=[(one, PAPER_WORDS[one]) for one in PAPERS],
    )
    present = forms.BooleanField(label=_("La personne est devant moi"))


KIND_WORDS = {
    Kind.PATIENT: _("Patient"),
    Kind.PROFESSIONAL: _("Soignant"),
    Kind.ADMINISTRATOR: _("Gestion"),
    Kind.RESEARCHER: _("Recherche"),
}
