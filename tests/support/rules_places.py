"""What the pages of the rules need: a history that rules can look at, the lab's figures, a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from api_world import World
from tried import changed_text

from huaxiang.api.history.features import index_history, missing_features
from huaxiang.core.database import transaction
from huaxiang.quality.history.invented import InventedConversation


def rules_places(world: World, _: Sequence[InventedConversation]) -> dict[str, str]:
    """Measure the rules, and try a changed scorecard; gives ``comparison``."""
    services, desk = world.services, world.services.history
    index_history(services.sessions, services.features, missing_features(services.sessions))
    with transaction(services.sessions) as session:
        comparison = desk.begin(session, changed_text(), "mei")
    desk.run(comparison)
    desk.run_lab()
    return {"comparison": comparison}
