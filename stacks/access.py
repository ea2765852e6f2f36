"""Access: the roles people take. Each is made when the settings name somebody who may take it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names
from contracts.chat import BLOCK, form

from stacks.constructs.commons import NAMED_BY_BEDROCK, VERSIONS_OF_THE_REWARD, Commons, customization_jobs, deployments, state_machine_arn
from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, in_region, list_objects, read_key, read_objects, write_key, write_objects

_RUNS = "An execution is named when a run starts; the pattern is every run of this environment's one state machine, and nothing else."
_PARAMETERS = "Everything this environment publishes about itself stands below /rft/<environment>/, names and no secrets."
_DASHBOARDS = (names.dashboard, names.run_dashboard)
_READS = "Reads configuration, which has no data in it; most of these know no resource (service authorization reference)."


class Access(Construct):
    """`rft-<environment>-operator`, `-approver`, `-auditor` and `-break-glass`.

    None may create a training job, pass a role, write IAM, touch a key or a bucket's policy; the boundary holds them to that.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._stack = Stack.of(self)
        self._settings = commons.workshop.settings
        access = self._settings.access
        self._make("Operator", access.operators, "ML engineers: upload, run, watch, stop", self._operate())
        self._make("Approver", access.approvers, "People who answer approvals", self._approve())
        self._make("Auditor", access.auditors, "Reviewers: configuration and lineage, no data", self._review())
        device = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
        glass = self._make("BreakGlass", access.break_glass, "Emergency: stop spend, put the released model back", self._stop(), device)
        if glass:
            self._tell(glass, dead_letters)

    def _make(
        self,
        name: str,
        principals: Sequence[str],
        description: str,
        statements: list[iam.PolicyStatement],
        more: dict[str, Any] | None = None,
    ) -> iam.IRole | None:
        if not principals:
            return None
        accounts = sorted({principal.split(":")[4] for principal in principals})
        conditions = {"ArnLike": {"aws:PrincipalArn": list(principals)}, **(more or {})}
        trusted = [iam.PrincipalWithConditions(iam.AccountPrincipal(account), conditions) for account in accounts]
        return role(
            self,
            name,
            assumed_by=trusted[0] if len(trusted) == 1 else iam.CompositePrincipal(*trusted),
            description=description,
            statements=statements,
            name=names.people_role(self._settings.name, name),
        )

    def _machine(self) -> str:
        return state_machine_arn(self._stack, self._settings.name)

    def _dashboard(self, name: str) -> str:
        # The ARN of a dashboard has no Region (service authorization reference, Amazon CloudWatch).
        return self._stack.format_arn(service="cloudwatch", region="", resource="dashboard", resource_name=name)

    def _watch(self) -> list[iam.PolicyStatement]:
        runs = arn(self._stack, "states", f"execution:{names.state_machine(self._settings.name)}:*")
        return [
            allow(["states:DescribeStateMachine", "states:ListExecutions"], [self._machine()]),
            allow(["states:DescribeExecution", "states:GetExecutionHistory"], [runs], because=_RUNS),
            allow(
                ["ssm:GetParameter", "ssm:GetParameters"],
                [arn(self._stack, "ssm", f"parameter{names.parameter(self._settings.name, '*')}")],
                because=_PARAMETERS,
            ),
            allow(["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"], ["*"], in_region(self._stack.region), because=_READS),
            allow(["cloudwatch:GetDashboard"], [self._dashboard(made(self._settings.name)) for made in _DASHBOARDS]),
        ]

    def _operate(self) -> list[iam.PolicyStatement]:
        commons, stack = self._commons, self._stack
        reward, buckets = commons.reward.function_arn, commons.buckets
        runs = arn(stack, "states", f"execution:{names.state_machine(self._settings.name)}:*")
        return [
            *self._watch(),
            allow(["states:StartExecution"], [self._machine()]),
            allow(["states:StopExecution"], [runs], because=_RUNS),
            write_objects(buckets.datasets, names.INCOMING, names.FEEDBACK),
            *read_objects(buckets.datasets, names.DATASETS, names.REJECTED, names.FEEDBACK),
            *read_objects(buckets.runs, names.RECORDS),
            write_key(commons.workshop.keys.data, stack.region),
            # Versions only: what is tried is what a job could be given.
            allow(["lambda:InvokeFunction"], [f"{reward}:*"], because=VERSIONS_OF_THE_REWARD),
            allow(["lambda:GetAlias", "lambda:GetFunctionConfiguration"], [reward, f"{reward}:*"], because=VERSIONS_OF_THE_REWARD),
            allow(["bedrock:GetModelCustomizationJob"], [customization_jobs(stack)], because=NAMED_BY_BEDROCK),
        ]

    def _approve(self) -> list[iam.PolicyStatement]:
        commons = self._commons
        return [
            *self._watch(),
            *read_objects(commons.buckets.runs, names.TOKENS, names.RECORDS),
            read_key(commons.workshop.keys.data, self._stack.region),
            allow(["states:SendTaskSuccess"], [self._machine()]),
        ]

    def _review(self) -> list[iam.PolicyStatement]:
        commons, runs = self._commons, self._commons.buckets.runs
        lineage = runs.arn_for_objects(f"{names.RECORDS}*/lineage.json")
        reads = [
            *("iam:GetRole", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListAttachedRolePolicies", "iam:ListEntitiesForPolicy"),
            # Key policies stand in the templates; no action on keys is given on all of them.
            *(
                "s3:GetBucketPolicy",
                "s3:GetEncryptionConfiguration",
                "s3:GetBucketVersioning",
                "s3:GetBucketPublicAccessBlock",
                "lambda:GetPolicy",
                "lambda:GetFunctionConfiguration",
            ),
            *("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:LookupEvents", "cloudformation:DescribeStacks"),
            *("cloudformation:GetTemplate", "cloudformation:ListStackResources", "ec2:DescribeVpcEndpoints", "ec2:DescribeRouteTables"),
            *("ec2:DescribeFlowLogs", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "logs:DescribeLogGroups"),
        ]
        return [
            *self._watch(),
            allow(["s3:GetObject"], [lineage], because="Each run's lineage record stands in a folder named after the run."),
            list_objects(runs, names.RECORDS),
            read_key(commons.workshop.keys.data, self._stack.region),
            allow(reads, ["*"], {"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}}, because=_READS),
        ]

    def _stop(self) -> list[iam.PolicyStatement]:
        stack, env = self._stack, self._settings.name
        runs = arn(stack, "states", f"execution:{names.state_machine(env)}:*")
        pointer = arn(stack, "ssm", f"parameter{names.parameter(env, names.PARAM_RELEASED_MODEL)}")
        own = "Functions, rules and log groups get their names when the stacks are deployed; all begin with the stacks' own."
        stop_jobs = ["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"]
        end = ["bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"]
        find = ["bedrock:ListModelCustomizationJobs", "bedrock:ListCustomModelDeployments"]
        return [
            *self._watch(),
            allow(["states:StopExecution"], [runs], because=_RUNS),
            allow(stop_jobs, [customization_jobs(stack)], because=NAMED_BY_BEDROCK),
            allow(end, [deployments(stack)], because=NAMED_BY_BEDROCK),
            allow(find, ["*"], in_region(stack.region), because=_READS),
            # No concurrency is how a function is stopped.
            allow(["lambda:PutFunctionConcurrency"], [arn(stack, "lambda", f"function:rft-{env}-*")], because=own),
            allow(["events:DescribeRule", "events:DisableRule"], [arn(stack, "events", f"rule/rft-{env}*")], because=own),
            allow(["logs:FilterLogEvents", "logs:GetLogEvents"], [arn(stack, "logs", f"log-group:rft-{env}-*")], because=own),
            allow(["ssm:PutParameter"], [pointer]),
        ]

    def _tell(self, glass: iam.IRole, dead_letters: sqs.IQueue) -> None:
        """Tells the environment's addresses when the role is taken, through CloudTrail's event of it."""
        topic = self._commons.topic
        made = events.CfnRule(
            self,
            "BreakGlassTaken",
            description="Somebody took the break-glass role",
            event_pattern={
                "source": ["aws.sts"],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {"eventName": ["AssumeRole"], "requestParameters": {"roleArn": [glass.role_arn]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="People",
                    arn=topic.topic_arn,
                    input_transformer=self._in_chat() if self._commons.chat_runbooks else None,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
                )
            ],
        )
        topic.add_to_resource_policy(self._from_rule(made, "sns:Publish", topic.topic_arn))
        dead_letters.add_to_resource_policy(self._from_rule(made, "sqs:SendMessage", dead_letters.queue_arn))

    def _in_chat(self) -> events.CfnRule.InputTransformerProperty:
        """The form of chat, which e-mail gets then as well: a rule gives all subscribers the same."""
        env = self._settings.name
        facts = [f"<who> took {names.people_role(env, 'BreakGlass')}.", "When: <when>", "From: <where>"]
        shown = form(
            title=f"[{env}] somebody took the break-glass role",
            description="\n".join(facts).join(BLOCK),
            next_steps=["Ask them what for. If nobody can say, revoke the role's sessions in IAM."],
            keywords=[env, "break-glass"],
        )
        paths = {"who": "$.detail.userIdentity.arn", "when": "$.time", "where": "$.detail.sourceIPAddress"}
        return events.CfnRule.InputTransformerProperty(input_template=json.dumps(shown), input_paths_map=paths)

    @staticmethod
    def _from_rule(made: events.CfnRule, action: str, resource: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="BreakGlassTaken",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=[action],
            resources=[resource],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}, "ArnEquals": {"aws:SourceArn": made.attr_arn}},
        )
