"""Permissions as AWS looks at them, for moto.

moto looks at one action for each call, on the resource "*" and without the conditions of a policy, and it gives some
actions names that AWS does not know: a policy that is right for AWS would be refused, and one that is too narrow would
pass. Here each call says what it needs, on what, and with which tags, as the documentation of its service has it.
"""

import json
from fnmatch import fnmatchcase

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicy, IAMRequest
from moto.kms.models import kms_backends
from moto.s3.responses import ACTION_MAP

# What S3 calls these permissions. moto takes them for CreateBucket and ListBucket.
ACTION_MAP["BUCKET"]["GET"].update(
    encryption="GetEncryptionConfiguration",
    publicAccessBlock="GetBucketPublicAccessBlock",
)
ACTION_MAP["BUCKET"]["PUT"].update(
    encryption="PutEncryptionConfiguration",
    publicAccessBlock="PutBucketPublicAccessBlock",
)


def arn(call, service, rest):
    return f"arn:{call.partition}:{service}:{call.region}:{call.current_account}:{rest}"


def body_of(call):
    return json.loads(call.body or "{}")


def of_kms(call, operation):
    body = body_of(call)
    action = f"kms:{operation}"
    requested = {f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in body.get("Tags", [])}
    if operation == "CreateKey":
        # Tags of a new key need their own permission.
        actions = [action, "kms:TagResource"] if requested else [action]
        return [(each, "*", requested) for each in actions]
    if operation in ("ListAliases", "ListKeys"):
        return [(action, "*", {})]
    alias, named = body.get("AliasName"), body.get("TargetKeyId") or body.get("KeyId")
    backend = kms_backends[call.current_account][call.region]
    needs = [(action, arn(call, "kms", alias), {})] if alias else []
    led_to = backend.get_key_id_from_alias(alias or named)
    key = backend.keys.get(backend.get_key_id(led_to or named or ""))
    if key:
        tags = backend.tagger.get_tag_dict_for_resource(key.id)
        on_key = {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
        needs.append((action, key.arn, {**requested, **on_key}))
    elif named:
        rest = named if named.startswith("alias/") else f"key/{backend.get_key_id(named)}"
        needs.append((action, arn(call, "kms", rest), requested))
    return needs


def of_glue(call, operation):
    body = body_of(call)
    action = f"glue:{operation}"
    if "ResourceArn" in body:
        return [(action, body["ResourceArn"], {})]
    name = body.get("Name") or body.get("DatabaseName") or body.get("DatabaseInput", {}).get("Name", "*")
    # The catalog above a database is looked at as well, and everything in it where it is listed or goes along.
    things = ["catalog", f"database/{name}"]
    if operation in ("GetTables", "DeleteDatabase"):
        things.append(f"table/{name}/*")
    if operation == "DeleteDatabase":
        things.append(f"userDefinedFunction/{name}/*")
    needs = [(action, arn(call, "glue", thing), {}) for thing in things]
    if operation == "CreateDatabase" and body.get("Tags"):
        needs.append(("glue:TagResource", arn(call, "glue", f"database/{name}"), {}))
    return needs


def of_lakeformation(call, operation):
    needs = [(f"lakeformation:{operation}", "*", {})]
    if not operation.startswith("Batch"):
        return needs
    # Whoever grants in a batch may grant, and may look at what it is about.
    needs.append((f"lakeformation:{operation.removeprefix('Batch')}", "*", {}))
    for entry in body_of(call)["Entries"]:
        resource = entry["Resource"]
        if "Database" in resource:
            database = resource["Database"]["Name"]
            needs.append(("glue:GetDatabase", arn(call, "glue", f"database/{database}"), {}))
        if "Table" in resource:
            table = f"table/{resource['Table']['DatabaseName']}/*"
            needs.append(("glue:GetTable", arn(call, "glue", table), {}))
    return needs


def of_tagging(call, operation):
    return [(f"tag:{operation}", "*", {})]


def of_sns(call, operation):
    topic = arn(call, "sns", call.params["Name"])
    actions = ["CreateTopic", "TagResource"] if call.params.get("Tags") else ["CreateTopic"]
    return [(f"sns:{action}", topic, {}) for action in actions]


# By the name of the service in the signature. What is not here is looked at as moto does it.
NEEDS = {
    "kms": of_kms,
    "glue": of_glue,
    "lakeformation": of_lakeformation,
    "tagging": of_tagging,
    "sns": of_sns,
}


def listed(element):
    return element if isinstance(element, list) else [element]


def allows(statement, action, resource, values):
    """Whether a statement allows an action. It understands what our policies have, and nothing else."""
    condition = statement.get("Condition", {})
    if statement["Effect"] != "Allow" or set(condition) - {"StringEquals"}:
        raise NotImplementedError(statement)
    return (
        any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and all(values.get(key) == wanted for key, wanted in condition.get("StringEquals", {}).items())
    )


check_action_permitted = IAMRequest.check_action_permitted


def check_all_that_is_needed(self, resource):
    if isinstance(resource, str):
        return check_action_permitted(self, resource)
    policies = [IAMPolicy(policy)._policy_json for policy in self._access_key.collect_policies()]
    statements = [each for policy in policies for each in listed(policy["Statement"])]
    for action, on, values in resource:
        if not any(allows(statement, action, on, values) for statement in statements):
            self._action = action
            self._raise_access_denied()


IAMRequest.check_action_permitted = check_all_that_is_needed

authorize = ActionAuthenticatorMixin._authenticate_and_authorize_normal_action


def authorize_all_that_is_needed(self, resource="*"):
    if ActionAuthenticatorMixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT:
        signed = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        needs = NEEDS.get(signed[3]) if len(signed) > 3 else None
        resource = needs(self, self._get_action()) if needs else resource
    authorize(self, resource)


ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = authorize_all_that_is_needed


def authorize_tags_of_new_bucket(call, bucket):
    """Tags of a new bucket need their own permission, as those of a new key."""
    call.data["Action"] = "TagResource"
    call._authenticate_and_authorize_s3_action(bucket_name=bucket)
