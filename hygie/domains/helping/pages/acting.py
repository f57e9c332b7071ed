"""Begin to act for somebody, and stop."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from hygie.domains.helping.pages.asking import account, now
from hygie.domains.helping.pages.words import LEAVABLE, QUALITIES, last_day
from hygie.domains.helping.service import desk
from hygie.domains.helping.service.people import leave, one_of
from hygie.kernel.web.acting import Acting, act_for, acting_of, stop_acting, while_acting
from hygie.kernel.web.bridge import repository
from hygie.kernel.web.caller import caller_of


@while_acting
def begin(request: HttpRequest, patient: str) -> HttpResponse:
    """Say what acting for this person means; then act for them until one stops."""
    if acting := acting_of(request):
        return redirect("patient:home:home" if acting.patient == patient else "home")
    held = one_of(repository(), account(request), patient)
    wanted = _wanted(request)
    if request.method == "POST":
        ends = held.ends.timestamp() if held.ends else None
        acting = Acting(patient, held.name, held.quality, held.party, held.reference, ends)
        act_for(request, acting)
        return redirect(wanted or reverse("patient:home:home"))
    context = {
        "held": held,
        "quality": QUALITIES[held.quality],
        "last": last_day(held.ends),
        "next": wanted,
    }
    return render(request, "helping/act.html", context)


@while_acting
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """Stop acting; a mandate of a desk ends with it."""
    acting = acting_of(request)
    stop_acting(request)
    if acting is not None and acting.quality == "desk":
        held = account(request)
        agent = desk.Agent(held, caller_of(request), str(getattr(held, "display_name", "")))
        desk.end(repository(), agent, acting.patient, at=now())
        return redirect("establishment:helping:desk")
    if acting is not None:
        return redirect("patient:helping:mine")
    return redirect("home")


@while_acting
def quit_helping(request: HttpRequest, patient: str) -> HttpResponse:
    """Stop helping somebody for good, after one question."""
    if acting_of(request):
        return redirect("patient:home:home")
    held = one_of(repository(), account(request), patient)
    if request.method == "POST":
        leave(repository(), account(request), patient, at=now())
        return redirect(f"{reverse('patient:helping:mine')}?done=left")
    context = {"held": held, "leavable": held.quality in LEAVABLE}
    return render(request, "helping/leave.html", context)


def _wanted(request: HttpRequest) -> str:
    """Return the page of this portal that was wanted, empty for none or another place."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith("/patient/") else ""
