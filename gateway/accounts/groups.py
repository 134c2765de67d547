"""What the members of groups may do."""

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.errors import Forbidden
from gateway.core.limits import Limits

EVERYBODY_ELSE = "*"
"""Name of the group of those who are in no other."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What members of a group may do. None: the group says nothing about it."""

    tags: frozenset[str] = frozenset()
    models: frozenset[str] | None = None
    limits: Limits = Limits()
    admin: bool = False


class Groups:
    """The configured groups. Without any, everybody may do everything but administer."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        self._groups = dict(groups)

    def rights(self, names: Iterable[str]) -> Group:
        """Return what a member of these groups may do.

        Tags of all groups count together. Models and limits are the widest that one of the groups names; a group that
        says nothing about them widens nothing.

        Raises:
            Forbidden: There are groups, and the user is in none of them.
        """
        found = [self._groups[name] for name in sorted(set(names)) if name in self._groups and name != EVERYBODY_ELSE]
        if not found and EVERYBODY_ELSE in self._groups:
            found = [self._groups[EVERYBODY_ELSE]]
        if not found and self._groups:
            raise Forbidden(
                "None of your groups may use this gateway. Ask its owner, who names groups in users.groups.",
                code="no_group",
            )
        models = [group.models for group in found if group.models is not None]
        return Group(
            tags=frozenset().union(*(group.tags for group in found)),
            models=frozenset().union(*models) if models else None,
            limits=_widest([group.limits for group in found]),
            admin=any(group.admin for group in found),
        )


def _widest(limits: list[Limits]) -> Limits:
    widest: dict[str, float] = {}
    for one in limits:
        for name in one.__struct_fields__:
            value = getattr(one, name)
            if value is not None:
                widest[name] = max(value, widest.get(name, value))
    return msgspec.convert(widest, Limits)
