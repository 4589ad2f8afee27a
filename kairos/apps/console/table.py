"""Every screen, in the order of the navigation, and every deed. To add one: write its file, add its rows here."""

from __future__ import annotations

from kairos.apps.console.screen import Deed, Screen
from kairos.apps.console.screens import (
    activities,
    activity,
    broadcast,
    calendar,
    channels,
    crowd_builder,
    crowds,
    health,
    lists,
    measure,
    person,
    plans,
    reviews,
    sources,
    tried,
    write,
)

SCREENS: tuple[Screen, ...] = (
    activities.SCREEN,
    activity.SCREEN,
    person.FIND,
    person.SCREEN,
    write.SCREEN,
    write.LOOKED,
    write.EDITED,
    tried.SCREEN,
    reviews.SCREEN,
    reviews.REVIEW,
    measure.SCREEN,
    calendar.SCREEN,
    crowds.LIST,
    crowds.SCREEN,
    crowd_builder.SCREEN,
    lists.SCREEN,
    broadcast.SCREEN,
    plans.LIST,
    plans.SCREEN,
    plans.MADE,
    health.SCREEN,
    channels.LIST,
    channels.SCREEN,
    sources.LIST,
    sources.SCREEN,
    sources.KEY,
)

DEEDS: tuple[Deed, ...] = (
    *activity.DEEDS,
    *write.DEEDS,
    *tried.DEEDS,
    *reviews.DEEDS,
    *crowds.DEEDS,
    *crowd_builder.DEEDS,
    *lists.DEEDS,
    *broadcast.DEEDS,
    *plans.DEEDS,
    *channels.DEEDS,
    *sources.DEEDS,
)
