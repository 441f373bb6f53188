"""moto's server with a few gaps mended on which our tests would prove nothing about AWS.

Each mend gives moto the documented behaviour of AWS; nothing else of it is touched. The last ones only save time: our tests
send tens of thousands of requests.
"""

import functools
import json
import sys
import threading

import xmltodict
from moto import backends, server
from moto_permissions import authorize_tags_of_new_bucket
from moto.core import responses
from moto.glue.models import GlueBackend
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.kms import models as kms
from moto.lakeformation.models import Permission
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def tags_of(body):
    """The tags in the body of a CreateBucket."""
    if not body:
        return {}
    configuration = xmltodict.parse(body).get("CreateBucketConfiguration") or {}
    tags = (configuration.get("Tags") or {}).get("Tag") or []
    tags = tags if isinstance(tags, list) else [tags]
    return {tag["Key"]: tag.get("Value") or "" for tag in tags}


bucket_put = S3Response._bucket_response_put


def bucket_put_with_tags(self, request, bucket_name, querystring):
    # CreateBucket takes tags; moto drops them. A bucket that exists already keeps its own.
    existed = bucket_name in self.backend.buckets
    tags = {} if querystring or existed else tags_of(self.body)
    if tags:
        authorize_tags_of_new_bucket(self, bucket_name)
    answer = bucket_put(self, request, bucket_name, querystring)
    if tags and bucket_name in self.backend.buckets:
        self.backend.put_bucket_tagging(bucket_name, tags)
    return answer


S3Response._bucket_response_put = bucket_put_with_tags

get_bucket_versioning = S3Response.get_bucket_versioning


def get_bucket_versioning_by_its_name(self):
    # The root of the answer has another name in AWS, and a client that looks at it refuses moto's.
    status, headers, body = get_bucket_versioning(self)
    body = body.decode() if isinstance(body, bytes) else body
    return status, headers, body.replace("GetBucketVersioningResponse", "VersioningConfiguration")


S3Response.get_bucket_versioning = get_bucket_versioning_by_its_name

delete_bucket = S3Backend.delete_bucket


def delete_bucket_with_tags(self, bucket_name):
    # The tags of what is deleted are gone; moto shows them on the next bucket of that name.
    arn = self.get_bucket(bucket_name).arn
    deleted = delete_bucket(self, bucket_name)
    if deleted:
        self.tagger.delete_all_tags_for_resource(arn)
    return deleted


S3Backend.delete_bucket = delete_bucket_with_tags

delete_database = GlueBackend.delete_database


def delete_database_with_tags(self, database_name):
    # The same for databases of the catalog.
    delete_database(self, database_name)
    suffix = f":database/{database_name}"
    for arn in [arn for arn in self.tagger.tags if arn.endswith(suffix)]:
        self.tagger.delete_all_tags_for_resource(arn)


GlueBackend.delete_database = delete_database_with_tags

# A revocation after a second grant to the same principal ends in an error of moto's own, because a value in one of its
# sets has changed its hash.
Permission.__hash__ = lambda self: hash((json.dumps(self.principal), json.dumps(self.resource)))

is_action_permitted = IAMPolicyStatement.is_action_permitted


def is_action_permitted_under_its_condition(self, *arguments, **named):
    # A statement whose condition does not hold says nothing; moto takes it for a refusal. Requests are to count as if
    # they came over TLS, which the emulator has not.
    plain_text = {"Bool": {"aws:SecureTransport": "false"}}
    if self._statement.get("Condition") == plain_text:
        return PermissionResult.NEUTRAL
    return is_action_permitted(self, *arguments, **named)


IAMPolicyStatement.is_action_permitted = is_action_permitted_under_its_condition

get_resources = ResourceGroupsTaggingAPIBackend.get_resources


def get_resources_by_resources(self, *arguments, tags_per_page=100, **named):
    # A page has as many resources as were asked for; moto also ends it after a hundred tags that nobody asked for.
    return get_resources(self, *arguments, tags_per_page=10**9 if tags_per_page == 100 else tags_per_page, **named)


ResourceGroupsTaggingAPIBackend.get_resources = get_resources_by_resources

answer = server.DomainDispatcherApplication.__call__
one_at_a_time = threading.Lock()


def answer_one_at_a_time(self, environ, start_response):
    # Two requests at a time meet in moto's dictionaries and end in errors of its own.
    with one_at_a_time:
        return answer(self, environ, start_response)


server.DomainDispatcherApplication.__call__ = answer_one_at_a_time

# An RSA key takes a tenth of a second; each KMS key gets one of its own although nobody signs anything.
kms.generate_private_key = functools.cache(kms.generate_private_key)

# Both read the same each time: the folders of moto, at each request, and the methods of a class.
modules = list(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: modules
responses.method_names_from_class = functools.cache(responses.method_names_from_class)

if __name__ == "__main__":
    server.main(sys.argv[1:])
