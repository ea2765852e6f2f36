"""Keys, buckets and network of every environment that ships."""

from __future__ import annotations

import json

from contracts import names
from contracts.settings import RFT_REGIONS

from stacks.constructs.network import ENDPOINTS, S3_PREFIX_LISTS
from tests.stacks.template_reader import Synthesised, flat, listed

ROUTES_OUT = {
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::Route",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::VPCPeeringConnection",
}


def test_every_key_rotates(environment: Synthesised) -> None:
    keys = environment.of_type("AWS::KMS::Key")
    encrypting = {name: key for name, key in keys.items() if "KeySpec" not in key["Properties"]}
    # Data, model, logs, the trail's and the backup's; the one that signs cannot rotate.
    assert len(encrypting) == len(keys) - 1 == 4 + environment.settings.backup.enabled
    for name, key in encrypting.items():
        assert key["Properties"]["EnableKeyRotation"] is True, name


def test_only_the_role_that_records_may_sign(environment: Synthesised) -> None:
    _, key = environment.one("AWS::KMS::Key", "KeysSigning")
    assert (key["Properties"]["KeySpec"], key["Properties"]["KeyUsage"]) == ("ECC_NIST_P384", "SIGN_VERIFY")
    (denied,) = [s for s in key["Properties"]["KeyPolicy"]["Statement"] if s["Effect"] == "Deny"]
    assert (denied["Action"], denied["Principal"]) == ("kms:Sign", {"AWS": "*"})
    (signer,) = (flat(value) for value in listed(denied["Condition"]["ArnNotLike"]["aws:PrincipalArn"]))
    assert signer == f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{names.signer_role_prefix(environment.settings.name)}*"

    # CloudFormation names a role by its stack and logical id: the pattern must fit this role, and no other of the stack.
    stack = f"rft-{environment.settings.name}-pipeline-"
    fitting = [name for name in environment.of_type("AWS::IAM::Role") if f"{stack}{name}".startswith(signer.rpartition("/")[2][:-1])]
    assert len(fitting) == 1


def test_services_use_the_keys_for_this_account_only(environment: Synthesised) -> None:
    for name, key in environment.of_type("AWS::KMS::Key").items():
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            if "Service" in statement["Principal"]:
                assert "${AWS::AccountId}" in json.dumps(_flattened(statement["Condition"])), name
                assert "kms:*" not in listed(statement["Action"]), name


def test_every_bucket_is_private_versioned_and_owned_by_the_account(environment: Synthesised) -> None:
    buckets = environment.of_type("AWS::S3::Bucket")
    assert len(buckets) == 4 + environment.settings.backup.enabled
    for name, bucket in buckets.items():
        properties = bucket["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
        rules = properties["LifecycleConfiguration"]["Rules"]
        assert any("NoncurrentVersionExpiration" in rule for rule in rules), name
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules), name


def test_data_buckets_use_the_data_key_and_log_their_access(environment: Synthesised) -> None:
    data_key, _ = environment.one("AWS::KMS::Key", "KeysData")
    for part in ("BucketsDatasets", "BucketsRuns"):
        _, bucket = environment.one("AWS::S3::Bucket", part)
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert flat(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == f"${{{data_key}.Arn}}"
        assert rule["BucketKeyEnabled"] is True
        assert "DestinationBucketName" in bucket["Properties"]["LoggingConfiguration"]


def test_the_access_log_bucket_is_encrypted_the_only_way_s3_can_deliver_to(environment: Synthesised) -> None:
    _, bucket = environment.one("AWS::S3::Bucket", "BucketsAccessLogs")
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_every_bucket_refuses_plain_http_and_old_tls(environment: Synthesised) -> None:
    policies = environment.of_type("AWS::S3::BucketPolicy")
    protected = set()
    for policy in policies.values():
        denials = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
        conditions = [s["Condition"] for s in denials]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions
        assert all(s["Principal"] == {"AWS": "*"} for s in denials)
        protected.add(flat(policy["Properties"]["Bucket"]))
    assert protected == {f"${{{name}}}" for name in environment.of_type("AWS::S3::Bucket")}


def test_only_the_datasets_bucket_announces_its_objects(environment: Synthesised) -> None:
    announcing = {
        name
        for name, bucket in environment.of_type("AWS::S3::Bucket").items()
        if bucket["Properties"].get("NotificationConfiguration", {}).get("EventBridgeConfiguration") == {"EventBridgeEnabled": True}
    }
    assert announcing == {environment.one("AWS::S3::Bucket", "BucketsDatasets")[0]}


def test_nothing_leads_out_of_the_vpc(environment: Synthesised) -> None:
    assert not ROUTES_OUT & {resource["Type"] for resource in environment.all().values()}
    for name, subnet in environment.of_type("AWS::EC2::Subnet").items():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False, name
    assert len(environment.of_type("AWS::EC2::Subnet")) == environment.settings.network.availability_zones


def test_every_service_the_pipeline_calls_has_an_endpoint_for_this_account_only(environment: Synthesised) -> None:
    endpoints = environment.of_type("AWS::EC2::VPCEndpoint")
    region = environment.settings.region
    services = {flat(endpoint["Properties"]["ServiceName"]).replace("${AWS::Region}", region) for endpoint in endpoints.values()}
    wanted = ("bedrock", "bedrock-runtime", "lambda", "states", "events", "logs", "kms", "sts", "sns", "ssm", "s3")
    assert services == {f"com.amazonaws.{region}.{service}" for service in wanted}
    for name, endpoint in endpoints.items():
        properties = endpoint["Properties"]
        for statement in properties["PolicyDocument"]["Statement"]:
            assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == {"Ref": "AWS::AccountId"}, name
            assert "*" not in listed(statement["Action"]), name
        if properties["VpcEndpointType"] == "Interface":
            assert properties["PrivateDnsEnabled"] is True, name
    assert len(endpoints) == len(ENDPOINTS) + 1


def test_the_s3_endpoint_reaches_the_two_data_buckets_only(environment: Synthesised) -> None:
    _, gateway = environment.one("AWS::EC2::VPCEndpoint", "NetworkVpcS3")
    (statement,) = gateway["Properties"]["PolicyDocument"]["Statement"]
    reached = {flat(resource).removesuffix("/*") for resource in statement["Resource"]}
    buckets = [environment.one("AWS::S3::Bucket", part)[0] for part in ("BucketsDatasets", "BucketsRuns")]
    assert reached == {f"${{{name}.Arn}}" for name in buckets}


def test_security_groups_name_their_peers(environment: Synthesised) -> None:
    for name, group in environment.of_type("AWS::EC2::SecurityGroup").items():
        assert not group["Properties"].get("SecurityGroupIngress"), name
        for rule in group["Properties"]["SecurityGroupEgress"]:
            # A group without the property may reach everything; CDK writes "nothing" as a rule for an address that is none.
            assert rule.get("DestinationPrefixListId") or rule["CidrIp"] == "255.255.255.255/32", name
    for kind, peer in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
        for name, rule in environment.of_type(f"AWS::EC2::SecurityGroup{kind}").items():
            assert peer in rule["Properties"], name
            assert rule["Properties"]["ToPort"] == rule["Properties"]["FromPort"] == 443, name


def test_the_grader_can_reach_nothing(environment: Synthesised) -> None:
    group, resource = environment.one("AWS::EC2::SecurityGroup", "NetworkGrader")
    assert [rule["CidrIp"] for rule in resource["Properties"]["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    others = environment.of_type("AWS::EC2::SecurityGroupEgress").values()
    assert others and not [rule for rule in others if group in flat(rule["Properties"]["GroupId"])]


def test_all_traffic_is_logged(environment: Synthesised) -> None:
    (flow_log,) = environment.of_type("AWS::EC2::FlowLog").values()
    assert flow_log["Properties"]["TrafficType"] == "ALL"


def test_the_s3_prefix_list_is_known_wherever_a_model_can_be_trained() -> None:
    regions = {region for offered in RFT_REGIONS.values() for region in offered}
    assert regions <= set(S3_PREFIX_LISTS)


def test_a_protected_environment_keeps_everything_stateful(environment: Synthesised) -> None:
    protect = environment.settings.protect
    assert protect is (environment.settings.name != "dev")
    artifacts = [a["properties"] for a in environment.manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
    assert {a["stackName"]: a.get("terminationProtection", False) for a in artifacts} == {
        f"rft-{environment.settings.name}-foundation": protect,
        f"rft-{environment.settings.name}-audit": protect,
        f"rft-{environment.settings.name}-pipeline": False,
    }
    stateful = ["AWS::KMS::Key", "AWS::S3::Bucket", "AWS::Logs::LogGroup"]
    for kind in stateful:
        for name, resource in environment.of_type(kind).items():
            # What nobody can empty, nobody can delete: the audit bucket stays everywhere.
            kept = protect or name.startswith("TrailFiles")
            assert resource["DeletionPolicy"] == ("Retain" if kept else "Delete"), name
            assert resource["UpdateReplacePolicy"] == ("Retain" if kept else "Delete"), name


def test_an_explicit_account_needs_no_look_up(furnished: Synthesised) -> None:
    assert not furnished.manifest.get("missing")
    assert len(furnished.of_type("AWS::EC2::Subnet")) == 3
    zones = {flat(subnet["Properties"]["AvailabilityZone"]) for subnet in furnished.of_type("AWS::EC2::Subnet").values()}
    assert len(zones) == 3


def _flattened(condition: dict[str, dict[str, object]]) -> dict[str, dict[str, list[str]]]:
    return {operator: {key: [flat(v) for v in listed(value)] for key, value in keys.items()} for operator, keys in condition.items()}
