"""What a template says of an alarm beyond CloudFormation's own properties. No CDK here: the evidence pack reads it as well."""

from __future__ import annotations

METADATA = "RftAlarm"
"""Key of the resource's metadata: `Runbook`, and for a metric's alarm `QuietBecause`, `NeedsPerson` and, where the pipeline itself
tells people, `Told`."""
