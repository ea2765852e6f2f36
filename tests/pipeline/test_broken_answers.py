"""What the SDK does not try again: an object whose body breaks off, and SNS's own word for being busy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from pipeline import aws, store

from local.bedrock import faults_client


@pytest.fixture(autouse=True)
def no_more_faults(house: Any) -> Any:
    yield
    faults_client.clear(house.endpoint)


@pytest.mark.parametrize(("times", "read"), [(store.BODIES - 1, True), (store.BODIES, False)])
def test_an_object_whose_body_breaks_off_is_asked_for_again(house: Any, times: int, read: bool) -> None:
    house.s3.put_object(Bucket=house.runs, Key="records/broken/x.json", Body=b"{}")
    faults_client.set_fault(house.endpoint, "lost_answer", operation="s3:GetObject", count=times, run="broken")
    if read:
        assert store.read_json(house.runs, "records/broken/x.json") == {}
        return
    with pytest.raises(ResponseStreamingError) as caught:
        store.read_json(house.runs, "records/broken/x.json")
    assert aws.is_transient(caught.value)


@pytest.mark.parametrize(
    ("service", "operation", "call"), [("sns", "sns:Publish", "publish"), ("events", "events:PutEvents", "put_events")]
)
def test_every_service_that_is_busy_is_asked_again_later(house: Any, no_waiting: None, service: str, operation: str, call: str) -> None:
    arguments = {
        "publish": {"TopicArn": house.topic, "Message": "m"},
        "put_events": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
    }[call]
    faults_client.set_fault(house.endpoint, "throttle", operation=operation, count=0)
    with pytest.raises(ClientError) as caught:
        getattr(house.client(service), call)(**arguments)
    assert aws.is_transient(caught.value)
