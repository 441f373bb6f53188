//! S3: the product's bucket. It is never emptied, and removed only when it is proven empty and says that it may go.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use futures::future::{try_join, try_join4};

use super::{Aws, Call, Failure, failure::absent_is_fine, may_complete, may_remove, may_update, policy, tag};
use crate::{
    model::{
        arn,
        attributes::{Attributes, Bucket},
        resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
    },
    provider::ErrorKind,
};

/// The region whose name the service refuses as a location, because it is the default.
const DEFAULT_REGION: &str = "us-east-1";

/// How a bucket encrypts: the name or identifier of its key, and whether objects share data keys.
type Encryption = (Option<String>, bool);

fn tag_set(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(refused)
}

/// A request that the SDK refuses to build.
fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::refusal(ErrorKind::Invalid, format!("the request cannot be made: {error}"))
}

impl Aws {
    pub(super) async fn observe_bucket(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        let name = &key.name;
        let Some(found) = self.bucket_tags(name).await? else { return Ok(None) };
        let ((encryption_key, bucket_key), versioning, public_access_blocked, policy) = try_join4(
            self.encryption(name),
            self.is_versioned(name),
            self.is_public_access_blocked(name),
            self.bucket_policy(name),
        )
        .await?;
        let tls_only = policy::is_tls_only(policy.as_deref(), &self.place.region, name)?;
        let (owner, tags) = tag::read(&found);
        let attributes = Attributes::Bucket(Bucket {
            encryption_key,
            bucket_key,
            versioning,
            public_access_blocked,
            tls_only,
            tags,
        });
        let id = arn::bucket(&self.place.region, name);
        Ok(Some(Observed { key: key.clone(), id, owner, attributes, health: Health::Live }))
    }

    pub(super) async fn create_bucket(&self, desired: &Desired, want: &Bucket) -> Result<(), Failure> {
        let name = &desired.key.name;
        // Before the bucket, so that none is made that cannot be encrypted.
        let key = self.key_of(want).await?;
        if self.bucket_tags(name).await?.is_none() {
            self.make_bucket(desired, want).await?;
        }
        // An answer proves nothing: the service also says yes to whoever has the bucket already. The mark does.
        let found = self.bucket_tags(name).await?.ok_or_else(Failure::garbled)?;
        may_complete(tag::read(&found).0.as_ref(), desired)?;
        let wanted = tag::all(&desired.owner, &want.tags);
        try_join(
            self.add_bucket_tags(name, &found, wanted),
            try_join4(
                self.block_public_access(name),
                self.encrypt(name, key.as_deref(), want),
                self.version(name, want.versioning),
                self.refuse_plain_text(name, want.tls_only),
            ),
        )
        .await?;
        Ok(())
    }

    pub(super) async fn update_bucket(
        &self,
        desired: &Desired,
        want: &Bucket,
        delta: &Delta,
    ) -> Result<(), Failure> {
        let name = &desired.key.name;
        let found = self.bucket_tags(name).await?.ok_or_else(Failure::absent)?;
        may_update(tag::read(&found).0.as_ref(), desired, delta)?;
        self.add_bucket_tags(name, &found, tag::changed(desired, &want.tags, delta)).await?;
        if delta.touches("publicAccessBlocked") && want.public_access_blocked {
            self.block_public_access(name).await?;
        }
        if delta.touches("encryptionKey") || delta.touches("bucketKey") {
            let key = self.key_of(want).await?;
            self.encrypt(name, key.as_deref(), want).await?;
        }
        if delta.touches("versioning") {
            self.version(name, want.versioning).await?;
        }
        if delta.touches("tlsOnly") {
            self.refuse_plain_text(name, want.tls_only).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_bucket(&self, removal: &Removal) -> Result<(), Failure> {
        let name = &removal.key.name;
        let Some(found) = self.bucket_tags(name).await? else { return Ok(()) };
        may_remove(tag::read(&found).0.as_ref(), removal)?;
        // Emulators remove buckets that hold old versions; the real service refuses as well.
        let request = self.clients.s3.list_object_versions().bucket(name).max_keys(1);
        let request = request.expected_bucket_owner(&self.place.account).send();
        let listed = self.call(Call::ListObjectVersions, request).await?;
        if !listed.versions().is_empty() || !listed.delete_markers().is_empty() {
            return Err(not_empty());
        }
        let request = self.clients.s3.delete_bucket().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        match self.call(Call::DeleteBucket, request).await {
            Err(failure) if failure.is(&["BucketNotEmpty"]) => Err(not_empty()),
            answer => absent_is_fine(answer.map(drop)),
        }
    }

    /// The tags of a bucket; `None` when it is proven absent.
    async fn bucket_tags(&self, name: &str) -> Result<Option<Tags>, Failure> {
        let request = self.clients.s3.get_bucket_tagging().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        match self.call(Call::GetBucketTagging, request).await {
            Ok(found) => Ok(Some(found.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
            Err(failure) if failure.is(&["NoSuchTagSet", "NoSuchTagSetError"]) => Ok(Some(Tags::new())),
            Err(failure) if failure.is(&["NoSuchBucket"]) => Ok(None),
            Err(failure) if failure.is(&["PermanentRedirect", "AuthorizationHeaderMalformed"]) => {
                Err(Failure::refusal(
                    ErrorKind::Conflict,
                    "a bucket of that name is in another region; choose another name with spec.provisioning.names.bucket",
                ))
            }
            Err(failure) if failure.kind == ErrorKind::Denied => Err(Failure::refusal(
                ErrorKind::Denied,
                "the bucket exists in another account, or the role lacks s3:GetBucketTagging; choose another name with spec.provisioning.names.bucket, or grant it",
            )),
            Err(failure) => Err(failure),
        }
    }

    async fn encryption(&self, name: &str) -> Result<Encryption, Failure> {
        let request = self.clients.s3.get_bucket_encryption().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        let found = match self.call(Call::GetBucketEncryption, request).await {
            Ok(found) => found.server_side_encryption_configuration,
            Err(failure) if failure.is_absent() => None,
            Err(failure) => return Err(failure),
        };
        let Some(rule) = found.and_then(|found| found.rules.into_iter().next()) else {
            return Ok((None, false));
        };
        let bucket_key = rule.bucket_key_enabled.unwrap_or(false);
        let key = rule.apply_server_side_encryption_by_default.and_then(|default| default.kms_master_key_id);
        let name = match key {
            Some(id) => Some(self.key_name(&id).await?),
            None => None,
        };
        Ok((name, bucket_key))
    }

    async fn is_versioned(&self, name: &str) -> Result<bool, Failure> {
        let request = self.clients.s3.get_bucket_versioning().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        let found = self.call(Call::GetBucketVersioning, request).await?;
        Ok(found.status == Some(BucketVersioningStatus::Enabled))
    }

    async fn is_public_access_blocked(&self, name: &str) -> Result<bool, Failure> {
        let request = self.clients.s3.get_public_access_block().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        let found = match self.call(Call::GetPublicAccessBlock, request).await {
            Ok(found) => found.public_access_block_configuration.ok_or_else(Failure::garbled)?,
            // The service closes new buckets by itself, so that one without a setting was opened by somebody.
            Err(failure) if failure.is_absent() => return Ok(false),
            Err(failure) => return Err(failure),
        };
        let closed = [
            found.block_public_acls,
            found.ignore_public_acls,
            found.block_public_policy,
            found.restrict_public_buckets,
        ];
        Ok(closed.into_iter().all(|closed| closed == Some(true)))
    }

    async fn bucket_policy(&self, name: &str) -> Result<Option<String>, Failure> {
        let request = self.clients.s3.get_bucket_policy().bucket(name);
        let request = request.expected_bucket_owner(&self.place.account).send();
        match self.call(Call::GetBucketPolicy, request).await {
            Ok(found) => Ok(found.policy),
            Err(failure) if failure.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The identifier of the key that a bucket should use.
    async fn key_of(&self, want: &Bucket) -> Result<Option<String>, Failure> {
        match &want.encryption_key {
            Some(name) => self.key_to_use(name).await.map(Some),
            None => Ok(None),
        }
    }

    async fn make_bucket(&self, desired: &Desired, want: &Bucket) -> Result<(), Failure> {
        let tags = tag_set(&tag::all(&desired.owner, &want.tags))?;
        let mut configuration = CreateBucketConfiguration::builder().set_tags(Some(tags));
        if self.place.region != DEFAULT_REGION {
            let region = BucketLocationConstraint::from(self.place.region.as_str());
            configuration = configuration.location_constraint(region);
        }
        let request = self.clients.s3.create_bucket().bucket(&desired.key.name);
        let request = request.create_bucket_configuration(configuration.build()).send();
        match self.call(Call::CreateBucket, request).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&["BucketAlreadyOwnedByYou"]) => Ok(()),
            Err(failure) if failure.is(&["BucketAlreadyExists"]) => Err(Failure::refusal(
                ErrorKind::Conflict,
                "a bucket of that name exists in another account; choose another with spec.provisioning.names.bucket",
            )),
            Err(failure) => Err(failure),
        }
    }

    /// Sets some tags beside those that are there.
    async fn add_bucket_tags(&self, name: &str, found: &Tags, wanted: Tags) -> Result<(), Failure> {
        if wanted.iter().all(|(key, value)| found.get(key) == Some(value)) {
            return Ok(());
        }
        let mut all: Tags = found.clone();
        all.extend(wanted);
        all.retain(|key, _| !key.starts_with("aws:"));
        let tagging = Tagging::builder().set_tag_set(Some(tag_set(&all)?)).build().map_err(refused)?;
        let request = self.clients.s3.put_bucket_tagging().bucket(name).tagging(tagging);
        let request = request.expected_bucket_owner(&self.place.account).send();
        self.call(Call::PutBucketTagging, request).await.map(drop)
    }

    async fn block_public_access(&self, name: &str) -> Result<(), Failure> {
        if self.is_public_access_blocked(name).await? {
            return Ok(());
        }
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self.clients.s3.put_public_access_block().bucket(name);
        let request = request.public_access_block_configuration(closed);
        let request = request.expected_bucket_owner(&self.place.account).send();
        self.call(Call::PutPublicAccessBlock, request).await.map(drop)
    }

    async fn encrypt(&self, name: &str, key: Option<&str>, want: &Bucket) -> Result<(), Failure> {
        let Some(key) = key else { return Ok(()) };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .kms_master_key_id(key)
            .build()
            .map_err(refused)?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(want.bucket_key)
            .build();
        let configuration =
            ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(refused)?;
        let request = self.clients.s3.put_bucket_encryption().bucket(name);
        let request = request.server_side_encryption_configuration(configuration);
        let request = request.expected_bucket_owner(&self.place.account).send();
        self.call(Call::PutBucketEncryption, request).await.map(drop)
    }

    async fn version(&self, name: &str, wanted: bool) -> Result<(), Failure> {
        let status = if wanted { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let request = self.clients.s3.put_bucket_versioning().bucket(name);
        let request = request.versioning_configuration(configuration);
        let request = request.expected_bucket_owner(&self.place.account).send();
        self.call(Call::PutBucketVersioning, request).await.map(drop)
    }

    async fn refuse_plain_text(&self, name: &str, wanted: bool) -> Result<(), Failure> {
        let found = self.bucket_policy(name).await?;
        if policy::is_tls_only(found.as_deref(), &self.place.region, name)? == wanted {
            return Ok(());
        }
        let policy = policy::with_tls_only(found.as_deref(), &self.place.region, name, wanted)?;
        let account = &self.place.account;
        if let Some(policy) = policy {
            let request = self.clients.s3.put_bucket_policy().bucket(name).policy(policy);
            let request = request.expected_bucket_owner(account).send();
            self.call(Call::PutBucketPolicy, request).await.map(drop)
        } else {
            let request = self.clients.s3.delete_bucket_policy().bucket(name);
            let request = request.expected_bucket_owner(account).send();
            self.call(Call::DeleteBucketPolicy, request).await.map(drop)
        }
    }
}

fn not_empty() -> Failure {
    Failure::refusal(
        ErrorKind::Conflict,
        "the bucket is not empty (old versions count); empty it yourself or set deletionPolicy to Retain",
    )
}
