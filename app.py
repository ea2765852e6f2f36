"""Environments in, one Stage each out. `-c environments=dev` takes only those named, separated by commas."""

import sys

import aws_cdk as cdk
from contracts.errors import InvalidInput

from stacks.environment import RftEnvironment
from stacks.rules.packs import add_packs
from stacks.settings import load_all

app = cdk.App()
add_packs(app)
try:
    for settings in load_all(only=app.node.try_get_context("environments")):
        RftEnvironment(app, settings.name, settings=settings)
except InvalidInput as fault:
    sys.exit(str(fault))
try:
    app.synth()
except RuntimeError as fault:
    if not str(fault).startswith("ValidationFailed"):
        raise
    sys.exit("A rule is broken, see above; docs/rules.md says how rules are answered.")
