"""The pack `RFT`: a validation plugin of CDK, beside cdk-nag's, in Python."""

from __future__ import annotations

from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from stacks.rules import identity, loops, network, review, training, watching
from stacks.rules.rule import Fault, Level, Rule
from stacks.rules.templates import Templates, read_environments

PACK = "RFT"
VERSION = "1.0.0"

RULES: tuple[Rule, ...] = (
    *identity.RULES,
    *training.RULES,
    *network.RULES,
    *loops.RULES,
    *watching.RULES,
    *review.RULES,
)


@jsii.implements(IPolicyValidationPlugin)
class BedrockRftChecks:
    """Reads the templates CDK has just written and reports every fault, with the rule, the resource and what to do.

    An error among them fails the synthesis, unless it is acknowledged on the resource.
    """

    @property
    def name(self) -> str:
        return PACK

    @property
    def version(self) -> str:
        return VERSION

    @property
    def rule_ids(self) -> list[str]:
        return [rule.id for rule in RULES]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        environments = read_environments((stack.stack_construct_path, Path(stack.template_path)) for stack in context.stack_templates)
        found = [(rule, fault) for templates in environments for rule, fault in faults(templates)]
        return PolicyValidationPluginReport(
            success=not any(rule.level is Level.ERROR for rule, _ in found),
            violations=[_violation(rule, fault) for rule, fault in found],
        )


def faults(templates: Templates) -> list[tuple[Rule, Fault]]:
    """Every fault of one environment, each once."""
    unique = {(rule.id, fault.resource.reference, fault.what): (rule, fault) for rule in RULES for fault in rule.check(templates)}
    return list(unique.values())


def _violation(rule: Rule, fault: Fault) -> PolicyViolation:
    resource = fault.resource
    return PolicyViolation(
        rule_name=rule.id,
        description=rule.describe(fault),
        severity=rule.level.value,
        fix=rule.remedy,
        violating_resources=[
            PolicyViolatingResource(
                resource_logical_id=resource.logical_id, template_path=str(resource.template), locations=[fault.property_path]
            )
        ],
    )
