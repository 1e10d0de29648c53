"""The policy that always follows one route."""

from __future__ import annotations

from maestro.policy.baselines.route import Route, next_call, write_route
from maestro.policy.baselines.session import BaselineSession
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Action, Answer


class RouteSession(BaselineSession):
    """Follows a route and answers with the last value found, or with `direct` when the route is empty."""

    def __init__(self, opening: Opening, dialect: Dialect, route: Route, direct: str | None = None) -> None:
        super().__init__(opening, dialect)
        self.route = route
        self.direct = direct
        self._used = 0

    def choose(self) -> Action:
        """The route's next call, or the answer."""
        call, self._used = next_call(self.opening.menu, self.route, self._used, self.last)
        if call is not None:
            return call
        if not self.turns and self.direct is not None:
            return Answer(text=self.direct)
        return self.answer()


class FixedPolicy:
    """The same route for every question, whatever it asks and shows."""

    def __init__(self, route: Route, dialect: Dialect, name: str | None = None) -> None:
        self.route = route
        self.dialect = dialect
        self.name = name or f"fixed:{write_route(route)}"

    def open(self, opening: Opening) -> RouteSession:
        """A session that follows the route."""
        return RouteSession(opening, self.dialect, self.route)
