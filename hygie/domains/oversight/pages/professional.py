"""The questions that reviewers ask a professional about their own accesses."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from hygie.domains.oversight.pages.words import line, too_short
from hygie.domains.oversight.service import reporting
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of


def questions(request: HttpRequest) -> HttpResponse:
    """List the questions that wait for an answer."""
    return _page(request)


def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Send the answer to one question."""
    words = request.POST.get("words", "")
    if request.method == "POST":
        try:
            ask(
                reporting.answer(
                    repository(), caller_of(request), number, words=words, at=timezone.now()
                )
            )
        except InvalidRequest:
            return _page(request, wrong=number)
    return redirect("professional:oversight:questions")


def _page(request: HttpRequest, *, wrong: int = 0) -> HttpResponse:
    found = ask(reporting.questions(repository(), caller_of(request)))
    context = {
        "lines": [line(item, {}) for item in found],
        "wrong": wrong,
        "error": too_short() if wrong else "",
        "kept": request.POST.get("words", ""),
    }
    status = 400 if wrong else 200
    return render(request, "oversight/questions.html", context, status=status)


app_name = "oversight"
urlpatterns = [
    path("", questions, name="questions"),
    path("<int:number>/", answer, name="answer"),
]
