"""Provisioned throughput of custom models: bought, listed and given back, so that a sweep has something to find. Serves nothing.

Not kept over a restart.
"""

from __future__ import annotations

import threading
from typing import Any

from local.bedrock.control_jobs import Place
from local.bedrock.control_models import find_model
from local.bedrock.errors import not_found
from local.bedrock.paging import between, page
from local.bedrock.state import Store, now, short_id


class ThroughputOperations:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._bought: dict[Place, dict[str, dict[str, Any]]] = {}

    def create(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.read() as state:
            model = find_model(state, place, params["modelId"])
        at, name = now(), params["provisionedModelName"]
        arn = f"arn:aws:bedrock:{place.region}:{place.account}:provisioned-model/{short_id('throughput', *place, name, at)}"
        found = {
            "provisionedModelName": name,
            "provisionedModelArn": arn,
            "modelArn": model.arn,
            "desiredModelArn": model.arn,
            "foundationModelArn": model.base_model,
            "modelUnits": params["modelUnits"],
            "desiredModelUnits": params["modelUnits"],
            "status": "InService",
            "creationTime": at,
            "lastModifiedTime": at,
        }
        with self._lock:
            self._bought.setdefault(place, {})[arn] = found
        return {"provisionedModelArn": arn}

    def list(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            rows = [
                (found["creationTime"], arn, found)
                for arn, found in self._bought.get(place, {}).items()
                if between(found["creationTime"], params, "creationTimeAfter", "creationTimeBefore")
                and params.get("nameContains", "") in found["provisionedModelName"]
                and params.get("modelArnEquals", found["modelArn"]) == found["modelArn"]
            ]
        part, token = page(rows, params)
        return {"provisionedModelSummaries": part} | ({"nextToken": token} if token else {})

    def delete(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            for arn, found in self._bought.get(place, {}).items():
                if params["provisionedModelId"] in (arn, found["provisionedModelName"]):
                    del self._bought[place][arn]
                    return {}
        raise not_found(f"Could not find the provisioned throughput {params['provisionedModelId']}.")
