"""The register of applications: an administrator approves, refuses with a reason, or ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path

from hygie.domains.authorization.model.apps import Audience, State
from hygie.domains.authorization.model.sentences import lines
from hygie.domains.authorization.orm import App
from hygie.domains.authorization.pages.reading import account, language
from hygie.domains.authorization.service import registering
from hygie.domains.authorization.service.places import realm
from hygie.kernel.errors import Conflict, InvalidRequest
from hygie.kernel.web.stepping_up import confirm_identity

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_ORDER = (State.WAITING, State.APPROVED, State.REFUSED, State.ENDED)


def listing(request: HttpRequest) -> HttpResponse:
    """List the applications, those that wait first."""
    apps = App.objects.filter(realm=realm()).order_by("-registered")
    ordered = sorted(apps, key=lambda one: _ORDER.index(State(one.state)))
    return render(request, "authorization/apps.html", {"apps": ordered})


def show(request: HttpRequest, client: str) -> HttpResponse:
    """Show one application and take the decision, after the administrator proved who they are."""
    app = get_object_or_404(App, client_id=client, realm=realm())
    error = ""
    if request.method == "POST":
        if again := confirm_identity(request):
            return again
        try:
            _decide(request, app)
        except (InvalidRequest, Conflict) as wrong:
            error = str(wrong)
        else:
            return redirect("establishment:authorization:app", client=client)
    ticked = app.approved or app.asked
    context = {
        "app": app,
        "lines": [(one, one.word in ticked) for one in lines(app.asked, language())],
        "service": app.audience == Audience.SERVICE,
        "error": error,
    }
    return render(request, "authorization/app.html", context, status=400 if error else 200)


def _decide(request: HttpRequest, app: App) -> None:
    form = request.POST
    try:
        state = State(form.get("state", ""))
    except ValueError as wrong:
        raise InvalidRequest("Choose a decision.") from wrong
    chosen: dict[str, Any] = {}
    if state == State.APPROVED:
        chosen["approved"] = registering.approved_scope(app, form.getlist("scope"))
        if app.audience == Audience.SERVICE:
            chosen |= _service(form.get("acts_as", ""), introspects=bool(form.get("introspects")))
    registering.decide(app, state, by=account(request), reason=form.get("reason", ""), **chosen)


def _service(login: str, *, introspects: bool) -> dict[str, Any]:
    """Return what binds a service to an account, whose rights it never exceeds.

    Raises:
        InvalidRequest: there is no such account.
    """
    model: Any = get_user_model()
    found = model.objects.filter(username__iexact=login.strip(), is_active=True).first()
    if found is None:
        raise InvalidRequest("Bind the service to an account that exists.")
    return {"acts_as": found, "introspects": introspects}


app_name = "authorization"
urlpatterns = [
    path("", listing, name="register"),
    path("<str:client>/", show, name="app"),
]
