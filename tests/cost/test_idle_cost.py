"""What an environment costs idle, against its templates counted by hand, and with changes planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.assembly import Assembly
from cost.idle import Unpriced, idle
from cost.prices import Line, Prices, total
from tests.stacks.variants import outside_settings
from tests.synthesis import synthesised_once

Plant = Callable[[Callable[[dict[str, Any]], None]], Assembly]


def of(lines: list[Line], price: str) -> float:
    return total([line for line in lines if line.price == price])


def test_every_resource_is_priced_or_known_to_be_free(assembly: Assembly, prices: Prices) -> None:
    assert total(idle(assembly, prices)) > 0


def test_endpoints_are_counted_by_zone_and_hour_and_are_most_of_it(assembly: Assembly, prices: Prices) -> None:
    kinds = [each["Properties"]["VpcEndpointType"] for _, _, each in assembly.resources("AWS::EC2::VPCEndpoint")]
    lines = idle(assembly, prices)
    expected = kinds.count("Interface") * assembly.settings.network.availability_zones * 730 * 0.01
    assert of(lines, "endpoint_hour") == pytest.approx(expected)
    assert expected > 0.75 * total(lines)
    assert lines[0].price == "endpoint_hour"


def test_dev_costs_a_fraction_of_prod(assemblies: dict[str, Assembly], prices: Prices) -> None:
    dev, prod = (total(idle(assemblies[name], prices)) for name in ("dev", "prod"))
    assert dev < 0.4 * prod


def test_dev_with_its_functions_outside_the_vpc_costs_about_a_tenth_of_prod(
    assemblies: dict[str, Assembly], prices: Prices, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = idle(synthesised_once(tmp_path_factory, [outside_settings()])[1]["dev"], prices)
    assert of(lines, "endpoint_hour") == pytest.approx(730 * 0.01)
    assert total(lines) < 0.12 * total(idle(assemblies["prod"], prices))


def test_a_resource_more_costs_more(planted: Plant, assemblies: dict[str, Assembly], prices: Prices) -> None:
    before = total(idle(assemblies["dev"], prices))

    def key(resources: dict[str, Any]) -> None:
        if any(each["Type"] == "AWS::EC2::VPC" for each in resources.values()):
            resources["Further"] = {"Type": "AWS::KMS::Key", "Properties": {}}

    assert total(idle(planted(key), prices)) == pytest.approx(before + 1.0)


def test_an_alarm_on_an_expression_costs_by_its_metrics(planted: Plant, assemblies: dict[str, Assembly], prices: Prices) -> None:
    before = of(idle(assemblies["dev"], prices), "alarm_month")
    metrics = [{"Id": "e", "Expression": "a/b"}, {"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}]

    def alarm(resources: dict[str, Any]) -> None:
        if any(each["Type"] == "AWS::StepFunctions::StateMachine" for each in resources.values()):
            resources["Further"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": metrics}}

    assert of(idle(planted(alarm), prices), "alarm_month") == pytest.approx(before + 0.2)


def test_a_type_nobody_has_priced_is_refused_by_name(planted: Plant, prices: Prices) -> None:
    def gateway(resources: dict[str, Any]) -> None:
        resources["Further"] = {"Type": "AWS::EC2::NatGateway", "Properties": {}}

    with pytest.raises(Unpriced, match="AWS::EC2::NatGateway"):
        idle(planted(gateway), prices)
