"""The packs every synthesis is held to: five of cdk-nag, and our own."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NagPack, NIST80053R5Checks, PCIDSS321Checks, ServerlessChecks
from constructs import IConstruct

from stacks.rules.pack import PACK, BedrockRftChecks

PUBLIC: dict[str, Callable[..., NagPack]] = {
    "AwsSolutions": AwsSolutionsChecks,
    "NIST.800.53.R5": NIST80053R5Checks,
    "HIPAA.Security": HIPAASecurityChecks,
    "PCI.DSS.321": PCIDSS321Checks,
    "Serverless": ServerlessChecks,
}
"""cdk-nag's packs, by the name their findings begin with."""

PACKS = (*PUBLIC, PACK)


def add_packs(app: IConstruct) -> None:
    """Has every pack read what `app` synthesises. A finding nobody answered fails the synthesis, with rule, path and description."""
    Validations.of(app).add_plugins(*(pack(verbose=True) for pack in PUBLIC.values()), BedrockRftChecks())
