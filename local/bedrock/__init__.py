"""A stand-in for Amazon Bedrock in the local cloud: customization jobs, custom models, deployments, inference.

It is honest about what it is. Real: the checks against botocore's service model, the service role, the reads and writes in S3, the
calls of the deployed reward function, the events, and GRPO as the optimiser. Not real: the policy, which chooses among a dozen
response strategies instead of writing tokens, and looks its answers up in the datasets.
"""

from local.bedrock.ports import Cloud
from local.bedrock.standin import StandIn, mount

__all__ = ["Cloud", "StandIn", "mount"]
