"""Environments in, one Stage each out. `-c environments=dev` takes only those named, separated by commas."""

import sys

import aws_cdk as cdk
from contracts.errors import InvalidInput

from stacks.environment import RftEnvironment
from stacks.settings import load_all

app = cdk.App()
try:
    for settings in load_all(only=app.node.try_get_context("environments")):
        RftEnvironment(app, settings.name, settings=settings)
except InvalidInput as fault:
    sys.exit(str(fault))
app.synth()
