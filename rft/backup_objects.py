"""Versions of an object and copies in the backup: what there is, and how one becomes the current object again.

Nothing is deleted or overwritten: a restored object is a new version on top of what was there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

    from rft.target import Target


@attrs.frozen(kw_only=True)
class Copy:
    """One version of an object, in the original's bucket or in the backup.

    Attributes:
        bucket, key, version: where it is.
        written: when; of a copy in the backup, when it was copied, seconds to minutes after the original.
        current: whether a plain read of the key gives this one.
        backup: whether it is in the backup.
    """

    bucket: str
    key: str
    version: str
    written: datetime
    current: bool
    backup: bool

    def describe(self) -> str:
        return f"{'the backup' if self.backup else 'version'} {self.version} of {self.written:%Y-%m-%d %H:%M:%S} UTC"


def copies(target: Target, bucket: str, prefix: str) -> dict[str, list[Copy]]:
    """Key -> its versions under a prefix, newest first, the original bucket's before the backup's. Deleted objects are among them."""
    found: dict[str, list[Copy]] = {}
    for place, backup in ((bucket, False), (target.backup_bucket, True)):
        for copy in _versions(target, place, prefix, backup=backup) if place else ():
            found.setdefault(copy.key, []).append(copy)
    return {key: sorted(each, key=lambda copy: (copy.backup, -copy.written.timestamp())) for key, each in found.items()}


def read(target: Target, copy: Copy) -> bytes:
    return target.s3.get_object(Bucket=copy.bucket, Key=copy.key, VersionId=copy.version)["Body"].read()


def bring_back(target: Target, copy: Copy, bucket: str) -> None:
    """Makes a version the current object of its key in `bucket`, encrypted and locked as that bucket does by default."""
    source: CopySourceTypeDef = {"Bucket": copy.bucket, "Key": copy.key, "VersionId": copy.version}
    target.s3.copy_object(Bucket=bucket, Key=copy.key, CopySource=source, MetadataDirective="COPY")


def _versions(target: Target, bucket: str, prefix: str, *, backup: bool) -> Iterator[Copy]:
    for page in target.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Versions", []):
            yield Copy(
                bucket=bucket,
                key=item["Key"],
                version=item["VersionId"],
                written=item["LastModified"],
                current=item["IsLatest"] and not backup,
                backup=backup,
            )
