"""What the people do, step by step: pages that several ask for again and again, and steps that each takes once."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from bench.cast import Cast, Part
from bench.people import Answer, Person
from bench.platform import Platform

Job = Callable[[], Answer]
Lane = list[Job]  # one person's, one after the other
Scenario = Generator["Step", list[Answer], None]
DESK = "/admin/registrations/registration"
SECONDS_TO_WARM = 3  # answers of each lane, so that each thread of each worker has seen the page
WARM_LANES = 8
ROUNDS = 8  # of saving and submitting by one person: there is a limit to it (accounts/limits.py)


@dataclass(frozen=True)
class Step:
    """What is asked; `warm` comes first and is not measured. Without a name nothing of it is."""

    name: str
    lanes: list[Lane]
    warm: list[Lane] = field(default_factory=list)


def often(name: str, lanes: list[Lane]) -> Step:
    """Pages, of which each lane's first answers are to warm up."""
    return Step(name, lanes, [lane[:SECONDS_TO_WARM] for lane in lanes])


def once(name: str, jobs: Sequence[Job]) -> Step:
    """What can be done only once, so that some are given away to warm up. The answers come in the jobs' order."""
    warm = min(WARM_LANES, len(jobs) // 4)
    return Step(name, [[job] for job in jobs[warm:]], [[job] for job in jobs[:warm]])


def scenario(cast: Cast, platform: Platform, requests: int) -> Scenario:
    """All of it. Each step is yielded, and its answers are sent back: a form is posted as it came."""
    yield from pages(cast, requests)
    yield from committee(cast, requests)
    yield from applications(cast, requests)
    yield from photos(cast)
    yield from journeys(cast, platform)
    yield bare(cast, requests)


# Pages -----------------------------------------------------------------------------------------------------------------


def bare(cast: Cast, requests: int) -> Step:
    return asked_for("bare page", [(part.person, f"/bare/{cast.plan.code}/") for part in cast.applicants], requests)


def asked_for(name: str, visits: list[tuple[Person, str]], requests: int) -> Step:
    times = max(SECONDS_TO_WARM, requests // len(visits))
    return often(name, [[partial(person.get, path)] * times for person, path in visits])


def pages(cast: Cast, requests: int) -> Iterator[Step]:
    plan, applicants = f"/plans/{cast.plan.code}/", [part.person for part in cast.applicants]
    owned = [(part.person, part.registration.get_absolute_url()) for part in cast.applicants]
    yield bare(cast, requests)
    for name, people, path in (
        ("front door, signed out", cast.visitors, "/"),
        ("plan list, signed out", cast.visitors, "/plans/"),
        ("plan page, signed out", cast.visitors, plan),
        ("plan list", applicants, "/plans/"),
        ("plan page", applicants, plan),
        ("own list", cast.busy, "/registrations/"),
    ):
        yield asked_for(name, [(person, path) for person in people], requests)
    yield asked_for("own registration", owned, requests)


# The committee -----------------------------------------------------------------------------------------------------------


def committee(cast: Cast, requests: int) -> Scenario:
    queue = f"{DESK}/queue/{cast.plan.code}/?status=submitted"
    yield asked_for("queue", [(person, queue) for person in cast.reviewers], requests)
    shown = [
        (person, f"{DESK}/{each.pk}/change/") for person, each in zip(cast.reviewers, cast.sent_again, strict=False)
    ]
    yield asked_for("one registration on the desk", shown, requests)
    half = len(cast.waiting) // 2
    yield from decisions("approve", cast, cast.waiting[:half])
    yield from decisions("return", cast, cast.waiting[half:], fix_address="请把通信地址写到门牌号。")


def decisions(action: str, cast: Cast, registrations: list[Any], **typed: str) -> Scenario:
    """Each looks at the desk's page, and decides with the form on it."""
    turns = [(cast.reviewers[place % len(cast.reviewers)], each) for place, each in enumerate(registrations)]
    turns.sort(key=lambda turn: cast.reviewers.index(turn[0]))  # the answers come lane by lane
    shown = yield Step("", in_lanes(turns, [partial(who.get, f"{DESK}/{each.pk}/change/") for who, each in turns]))
    jobs = [
        partial(who.post, page.address(f"/{action}/"), page.form(**typed), to="/change/.*done=")
        for (who, _), page in zip(turns, shown, strict=True)
    ]
    lanes = in_lanes(turns, jobs)
    yield Step(action, [lane[1:] for lane in lanes], [lane[:1] for lane in lanes])


def in_lanes(turns: Sequence[tuple[Person, Any]], jobs: Sequence[Job]) -> list[Lane]:
    lanes: dict[Person, Lane] = {}
    for (person, _), job in zip(turns, jobs, strict=True):
        lanes.setdefault(person, []).append(job)
    return list(lanes.values())


# The applicants ----------------------------------------------------------------------------------------------------------


def applications(cast: Cast, requests: int) -> Scenario:
    """Save, submit, call back, as often as it takes to have enough answers; withdraw at the end."""
    rounds = max(1, min(ROUNDS, -(-requests // max(1, len(cast.drafts)))))
    for number in range(rounds):
        forms = yield once("registration form", [partial(part.person.get, at(part, "edit")) for part in cast.drafts])
        typed = {"address": f"北京市朝阳区团结路 {number + 1} 号", "then": "check"}
        yield once("save the form", posts(cast.drafts, forms, "edit", "/check/", **typed))
        yield once("page to check", [partial(part.person.get, at(part, "check")) for part in cast.drafts])
        asked = yield Step("", [[partial(part.person.get, at(part, "submit"))] for part in cast.drafts])
        yield once("submit", posts(cast.drafts, asked, "submit", "/submitted/"))
        yield once("receipt", [partial(part.person.get, at(part, "submitted")) for part in cast.drafts])
        last = number == rounds - 1
        name = "withdraw" if last else "recall"
        asked = yield Step("", [[partial(part.person.get, at(part, name))] for part in cast.drafts])
        yield once(name, posts(cast.drafts, asked, name, ""))


def at(part: Part, page: str) -> str:
    return f"{part.registration.get_absolute_url()}{page}/"


def posts(parts: Sequence[Part], shown: Sequence[Answer], page: str, to: str, **typed: str) -> list[Job]:
    return [
        partial(part.person.post, at(part, page), answer.form(**typed), to=to)
        for part, answer in zip(parts, shown, strict=True)
    ]


@cache
def picture() -> bytes:
    """As a phone's: eight megapixels, upright, on white."""
    from tests.photos.pictures import drawn_portrait, encoded

    return encoded(drawn_portrait(2448, 3264))


def photos(cast: Cast) -> Scenario:
    parts = cast.photographed
    shown = yield Step("", [[partial(part.person.get, at(part, "photo"))] for part in parts])
    files = {"photo": ("photo.jpg", picture(), "image/jpeg")}
    jobs = [
        partial(part.person.post, at(part, "photo"), page.form(), to="/crop/", files=files)
        for part, page in zip(parts, shown, strict=True)
    ]
    sent = yield once("upload a photo of 8 MP", jobs)
    frames = yield once(
        "page to crop", [partial(part.person.get, to.location) for part, to in zip(parts, sent, strict=True)]
    )
    jobs = [
        partial(part.person.post, to.location, page.form(), to="/edit/")
        for part, to, page in zip(parts, sent, frames, strict=True)
    ]
    yield once("crop it", jobs)


# The whole way of somebody who was here before ----------------------------------------------------------------------------


def journeys(cast: Cast, platform: Platform) -> Scenario:
    people = [(each, Person(cast.visitors[0].origin)) for each in cast.returning]
    left = yield Step(
        "", [[partial(person.get, "/accounts/login/", status=302, to="authorize")] for _, person in people]
    )
    offered = {(each.name, each.division): str(each.pk) for each in cast.other.occupations.all()}
    jobs = [
        partial(
            journey,
            person,
            platform.leave(away.location, before.applicant.subject),
            cast.other.code,
            offered[before.occupation.name, before.occupation.division],
        )
        for (before, person), away in zip(people, left, strict=True)
    ]
    yield once(JOURNEY, jobs)


JOURNEY = "journey, login to receipt"


def journey(person: Person, brought: dict[str, str], code: str, occupation: str) -> Answer:
    """From the platform's redirect to the receipt, every page on the way, the photo taken over from the profile."""
    answers = [
        person.get(f"/accounts/callback/?code={brought['code']}&state={brought['state']}", status=302, to="welcome")
    ]

    def see(path: str) -> Answer:
        answers.append(person.get(path))
        return answers[-1]

    def send(page: Answer, path: str, to: str, **typed: str) -> str:
        answers.append(person.post(path, page.form(**typed), to=to))
        return answers[-1].location or "/nowhere/"

    see(answers[0].location or "/nowhere/")
    see("/plans/")
    plan = see(f"/plans/{code}/")
    edit = send(plan, plan.address("/start/"), "/edit/")
    check = send(see(edit), edit, "/check/", occupation=occupation, then="check")
    see(check)
    submit = check.replace("/check/", "/submit/")
    see(send(see(submit), submit, "/submitted/"))
    return Answer.sum(answers)
