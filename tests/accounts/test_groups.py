"""What members of groups may do."""

import pytest

from gateway.accounts.groups import Group, Groups
from gateway.core.errors import Forbidden
from gateway.core.limits import Limits

GROUPS = Groups(
    {
        "doctors": Group(
            tags=frozenset({"health"}), models=frozenset({"home"}), limits=Limits(usd_month=5, parallel=2)
        ),
        "heads": Group(models=frozenset({"big"}), limits=Limits(usd_month=50), admin=True),
        "tagged": Group(tags=frozenset({"club"})),
    }
)


def test_rights_of_several_groups_add_up() -> None:
    """Tags come together, models and limits are the widest, and a group that says nothing lifts nothing."""
    rights = GROUPS.rights(["doctors", "heads", "tagged", "unknown"])
    assert rights.tags == {"health", "club"}
    assert rights.models == {"home", "big"}
    assert rights.limits == Limits(usd_month=50, parallel=2)
    assert rights.admin
    alone = GROUPS.rights(["doctors", "tagged"])
    assert (alone.models, alone.limits, alone.admin) == ({"home"}, Limits(usd_month=5, parallel=2), False)


def test_who_is_in_no_group_is_refused_unless_there_is_one_for_everybody_else() -> None:
    """Without groups everybody may ask; with some, only their members, or those for whom `*` stands."""
    assert Groups({}).rights(["whatever"]) == Group()
    with pytest.raises(Forbidden):
        GROUPS.rights(["unknown"])
    open_to_all = Groups({"doctors": Group(models=frozenset({"home"})), "*": Group(models=frozenset({"small"}))})
    assert open_to_all.rights([]).models == {"small"}
    assert open_to_all.rights(["doctors"]).models == {"home"}
    assert open_to_all.rights(["doctors", "*"]).models == {"home"}, "nobody is a member of '*' by a token"
