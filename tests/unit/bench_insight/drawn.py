"""All requests of a scenario in one piece, for plain calculations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.insight.events import Answered
from bench.insight.incidents import Incident
from bench.insight.roles import STATUSES
from bench.insight.scenario import Scenario
from bench.insight.world import World

CODES = np.array(STATUSES)
Mask = npt.NDArray[np.bool_]


def everything(scenario: Scenario) -> Answered:
    blocks = [block for _, block in scenario.answered(0, scenario.minutes)]
    return Answered._make(np.concatenate(arrays) for arrays in zip(*blocks, strict=True))


def during(incident: Incident, made: Answered) -> Mask:
    inside = np.zeros(made.ts.shape, np.bool_)
    for begin, end in incident.spans():
        inside |= (made.ts >= begin) & (made.ts < end)
    return inside


def of_subject(world: World, incident: Incident, made: Answered) -> Mask:
    subject = incident.subject
    mask = np.ones(made.ts.shape, np.bool_)
    if subject.service is not None:
        mask &= np.array([each.service == subject.service for each in world.endpoints])[made.endpoint]
    if subject.route is not None:
        wanted = (subject.method, subject.route)
        mask &= np.array([(each.method, each.route) == wanted for each in world.endpoints])[made.endpoint]
    if subject.client_ip is not None:
        mask &= np.array([each == subject.client_ip for each in world.people.addresses])[made.client]
    if subject.network is not None:
        inside = subject.network.removesuffix("0/24")
        mask &= np.array([each.startswith(inside) for each in world.people.addresses])[made.client]
    return mask
