"""The sections of a pack's page by their anchors; a control's evidence points at them."""

from __future__ import annotations

SECTIONS = {
    "summary": "Summary",
    "facts": "What holds here",
    "architecture": "Architecture",
    "flow": "Data flow",
    "roles": "Roles",
    "wildcards": "Wildcards",
    "policies": "Resource policies",
    "access": "Access matrix",
    "encryption": "Encryption",
    "network": "Network",
    "retention": "Retention and backup",
    "trail": "Audit trail",
    "alarms": "Alarms",
    "findings": "Rule packs",
    "acknowledgements": "Acknowledgements",
    "controls": "Control mapping",
    "risks": "Residual risks",
    "differences": "Beside the environment before",
    "changes": "Since the last pack",
    "software": "Software",
    "settings": "Settings",
    "resources": "Resources",
}
"""`changes` is only in a pack that was compared with another."""
