"""A look at the released model, with AWS as a test wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from tests.released.states import Failure, play

DEPLOYMENT = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdefghijkl"


@attrs.define(kw_only=True)
class Model:
    """The released model as AWS shows it.

    Attributes:
        released: how long before the look; None for no pointer at all.
        status: of its deployment; None when there is none.
        answered, failed, throttled: requests in the window.
        latency: milliseconds, of those answered.
        asked: arguments of the calls made, by action.
    """

    released: timedelta | None = timedelta(days=1)
    status: str | None = "Active"
    answered: float = 0
    failed: float = 0
    throttled: float = 0
    latency: float = 800
    asked: dict[str, dict[str, Any]] = attrs.field(factory=dict)

    def look(self, definition: Mapping[str, Any], at: datetime) -> list[dict[str, Any]]:
        """What one look published."""
        published: list[dict[str, Any]] = []

        def pointer(_: dict[str, Any]) -> Any:
            if self.released is None:
                raise Failure("Ssm.ParameterNotFoundException")
            released_at = (at - self.released).isoformat(timespec="seconds")
            return {"Parameter": {"Value": json.dumps({"deployment_arn": DEPLOYMENT, "released_at": released_at})}}

        def deployment(_: dict[str, Any]) -> Any:
            if self.status is None:
                raise Failure("Bedrock.ResourceNotFoundException")
            return {"Status": self.status}

        def figures(_: dict[str, Any]) -> Any:
            counts = {"answered": self.answered, "failed": self.failed, "throttled": self.throttled}
            latency = [self.latency] if self.answered else []
            results = [{"Id": name, "Values": [count] if count else []} for name, count in counts.items()]
            return {"MetricDataResults": [*results, {"Id": "latency", "Values": latency}]}

        def publish(arguments: dict[str, Any]) -> Any:
            published.extend(arguments["MetricData"])
            return {}

        answers = {
            "ssm:getParameter": pointer,
            "bedrock:getCustomModelDeployment": deployment,
            "cloudwatch:getMetricData": figures,
            "cloudwatch:putMetricData": publish,
        }

        def noted(action: str) -> Any:
            def call(arguments: dict[str, Any]) -> Any:
                self.asked[action] = arguments
                return answers[action](arguments)

            return call

        due = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        play(definition, {"at": due}, {action: noted(action) for action in answers})
        return published
