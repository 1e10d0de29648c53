"""Baselines that choose between experts by what was recorded on training tasks: the same for call stores and for folders of systems.

`question kNN` and `tfidf lookup` read the question. `image kNN` and `linear bandit` also see the picture. The vote cascade sees neither:
it asks several and counts votes. `category rule` is told the category, which no real policy is.
"""

from __future__ import annotations

from maestro.errors import MissingDependency
from maestro.policy.baselines import AgreementPolicy, Arms, ByFeatures, ByTfIdf, CategoryRule, LinearPolicy, Neighbours, Pictures
from maestro.policy.protocol import Dialect, Policy
from maestro.rollout.pool import RecordedPool

NOT_ASKED = "pictures were not asked for"


class Choosers:
    """Fitted on a recorded pool of training tasks; `left_out` says which cannot be had here, and why."""

    def __init__(self, train: RecordedPool, arms: Arms, pictures: Pictures | None, dialect: Dialect, cascade: str = "cascade") -> None:
        """`pictures` None leaves out those that see; `cascade` is the name of the vote cascade."""
        self.arms = arms
        self.dialect = dialect
        self.left_out: dict[str, str] = {}
        self.question = Neighbours.fit("question kNN", arms, ByFeatures(arms.tasks), dialect)
        self.lookup = self._lookup()
        self.picture = self._picture(pictures)
        self.linear = LinearPolicy(arms, pictures, dialect) if pictures is not None else None
        self.cascade = AgreementPolicy(train.menu, list(train.tasks.values()), dialect, cascade)

    @property
    def settings(self) -> dict[str, str]:
        """What was chosen in fitting."""
        found = {"question kNN": self.question.setting}
        found |= {"image kNN": self.picture.setting} if self.picture is not None else {}
        if self.linear is not None:
            found["linear bandit"] = f"ridge over question and picture, penalty {self.linear.penalty:g}"
        return {**found, self.cascade.name: self.cascade.setting}

    def policies(self, pool: RecordedPool) -> tuple[Policy, ...]:
        """All of them; the category rule is told the categories of the tasks of `pool`."""
        told = {recorded.task.id: recorded.task.category for recorded in pool.tasks.values()}
        rule = CategoryRule(self.arms, told, self.dialect)
        some = (self.question, self.lookup, self.picture, self.linear, self.cascade, rule)
        return tuple(policy for policy in some if policy is not None)

    def _lookup(self) -> Neighbours | None:
        try:
            return Neighbours("tfidf lookup", self.arms, ByTfIdf(self.arms.tasks), 1, self.dialect)
        except MissingDependency as error:
            self.left_out["tfidf lookup"] = str(error)
            return None

    def _picture(self, pictures: Pictures | None) -> Neighbours | None:
        if pictures is None:
            self.left_out |= dict.fromkeys(("image kNN", "linear bandit"), NOT_ASKED)
            return None
        if not any(task.images for task in self.arms.tasks):
            self.left_out["image kNN"] = "no question has a picture"
            return None
        return Neighbours.fit("image kNN", self.arms, ByFeatures(self.arms.tasks, pictures), self.dialect)
