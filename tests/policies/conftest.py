"""Chooses the Node that CDK supports before a test imports a stack."""

import audit.assembly  # noqa: F401
