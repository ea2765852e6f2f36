"""`[chat]` of an environment's settings: channels of Slack and Microsoft Teams that are told what the topics tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs
from contracts.validation import matching

EVERYTHING, ON_CALL = "everything", "on_call"
TOLD = (EVERYTHING, ON_CALL)

_NAME = matching(r"[a-z0-9](?:-?[a-z0-9]){0,39}", "1 to 40 lower-case letters, digits and single hyphens")
_UUID = matching(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "a UUID, 36 hexadecimal digits and hyphens")


def _told(_instance: object, _attribute: object, value: list[str]) -> None:
    if not value or set(value) - set(TOLD) or len(set(value)) < len(value):
        raise ValueError(f"allowed is a list of {' and '.join(TOLD)}, or one of them, each once")


@attrs.frozen(kw_only=True)
class SlackChannel:
    """One channel of Slack.

    Attributes:
        name: of the configuration, after `rft-<environment>-`; no two channels share one.
        workspace: T..., as the console of Amazon Q Developer in chat applications shows it once the workspace is authorised there.
        channel: C..., or G... of an old private channel: the end of the link that Slack copies.
        told: everything, on_call, or both.
    """

    name: str = attrs.field(validator=_NAME)
    workspace: str = attrs.field(validator=matching(r"T[0-9A-Z]{6,30}", "the id of a Slack workspace, such as T0123ABCDEF"))
    channel: str = attrs.field(validator=matching(r"[CG][0-9A-Z]{6,30}", "the id of a Slack channel, such as C0123ABCDEF, not its name"))
    told: list[str] = attrs.field(factory=lambda: [EVERYTHING], validator=_told)


@attrs.frozen(kw_only=True)
class TeamsChannel:
    """One channel of Microsoft Teams.

    Attributes:
        name: of the configuration, after `rft-<environment>-`; no two channels share one.
        tenant: id of the Microsoft tenant, as that console shows it once the team is authorised there.
        team: id of the team, from the same page.
        channel: id of the channel, percent-encoded as in the link that Teams copies.
        told: everything, on_call, or both.
    """

    name: str = attrs.field(validator=_NAME)
    tenant: str = attrs.field(validator=_UUID)
    team: str = attrs.field(validator=_UUID)
    channel: str = attrs.field(
        validator=matching(
            r"(?=.{1,255}$)[a-zA-Z0-9_=+/.,-]+%3[aA][a-zA-Z0-9_=+/.,-]+%40[a-zA-Z0-9_=+/.,-]+",
            "the id of a Teams channel as in its link, percent-encoded, such as 19%3a0123abcd%40thread.tacv2",
        )
    )
    told: list[str] = attrs.field(factory=lambda: [EVERYTHING], validator=_told)


Channel = SlackChannel | TeamsChannel


@attrs.frozen(kw_only=True)
class ChatSettings:
    """Channels that Amazon Q Developer in chat applications writes to, beside the addresses of `[notifications]`. None as it ships.

    Attributes:
        slack: channels of Slack.
        teams: channels of Microsoft Teams.
    """

    slack: list[SlackChannel] = attrs.field(factory=list)
    teams: list[TeamsChannel] = attrs.field(factory=list)

    @property
    def channels(self) -> Sequence[Channel]:
        return [*self.slack, *self.teams]

    @property
    def shows_messages(self) -> bool:
        """Whether a channel is told what the pipeline says by itself, which needs another form there than in a letter."""
        return any(EVERYTHING in channel.told for channel in self.channels)


def problems(chat: ChatSettings) -> list[str]:
    """Channels that get in each other's way, one line each."""
    kinds: list[tuple[str, Sequence[Channel]]] = [("slack", chat.slack), ("teams", chat.teams)]
    entries = [(f"chat.{kind}[{index}]", channel) for kind, channels in kinds for index, channel in enumerate(channels)]
    names = Counter(channel.name for _, channel in entries)
    places = Counter(channel.channel for _, channel in entries)
    return [
        *(f"{at}.name = {c.name!r}: allowed is a name that no other channel has" for at, c in entries if names[c.name] > 1),
        *(
            f"{at}.channel = {c.channel!r}: allowed is one entry for a channel, with told = {list(TOLD)!r} for both topics"
            for at, c in entries
            if places[c.channel] > 1
        ),
    ]
