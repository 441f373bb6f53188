//! Every API call that the backend makes, as a row of one table: what it is for, the permissions that it needs and how
//! often an account allows it. The IAM policy, the documentation and the rate limits are made from this table, and a call
//! that is not in it cannot be made.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::provider::ErrorKind;

/// Longest wait for the turn of a call. Whoever waits longer is told to come back, so that no visit holds a place for long.
const TURN: Duration = Duration::from_secs(8);

macro_rules! calls {
    ($($name:ident { $service:literal, $per_second:literal, [$($action:literal),*], $($why:literal),+ })+) => {
        /// An API call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $(#[doc = concat!($($why),+)] $name,)+
        }

        impl Call {
            /// Every call, by service.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name of the call here, which no other service's call has.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The service.
            pub const fn service(self) -> &'static str {
                match self { $(Self::$name => $service,)+ }
            }

            /// The permissions that it needs.
            pub const fn actions(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($action),*],)+ }
            }

            /// Why it is made.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => concat!($($why),+),)+ }
            }

            /// Whether it changes anything.
            pub fn changes(self) -> bool {
                let reads = ["Get", "List", "Describe"];
                !reads.iter().any(|read| self.name().starts_with(read))
            }

            /// Calls a second in one account and region: below the default quota, so that others have some left.
            const fn per_second(self) -> u32 {
                match self { $(Self::$name => $per_second,)+ }
            }
        }
    };
}

calls! {
    GetCallerIdentity { "sts", 50, [], "Proves that the credentials are of the domain's account, once for each." }
    DescribeKey { "kms", 100, ["kms:DescribeKey"], "Reads the product's key by its alias: whether it exists and can be used." }
    GetKeyRotationStatus { "kms", 50, ["kms:GetKeyRotationStatus"], "Reads whether the key is rotated." }
    ListResourceTags { "kms", 50, ["kms:ListResourceTags"], "Reads the key's tags, the mark among them." }
    ListAliases { "kms", 50, ["kms:ListAliases"], "Reads by which name the key of a bucket is known." }
    GetResources { "tagging", 5, ["tag:GetResources"], "Finds a key by its tags where the alias leads nowhere, and in bulk what still exists." }
    CreateKey { "kms", 4, ["kms:CreateKey", "kms:TagResource"], "Makes the key with its description and tags." }
    CreateAlias { "kms", 4, ["kms:CreateAlias"], "Names the key." }
    DeleteAlias { "kms", 4, ["kms:DeleteAlias"], "Frees the name of a key whose deletion is wanted." }
    EnableKeyRotation { "kms", 4, ["kms:EnableKeyRotation"], "Has the key rotated." }
    UpdateKeyDescription { "kms", 4, ["kms:UpdateKeyDescription"], "Corrects the description." }
    TagKey { "kms", 8, ["kms:TagResource"], "Corrects tags and mark of the key." }
    CancelKeyDeletion { "kms", 4, ["kms:CancelKeyDeletion"], "Takes a key back whose product returned." }
    EnableKey { "kms", 4, ["kms:EnableKey"], "Switches a key on that was taken back." }
    ScheduleKeyDeletion { "kms", 4, ["kms:ScheduleKeyDeletion"], "Schedules the end of a key that nothing refers to." }
    GetBucketTagging { "s3", 100, ["s3:GetBucketTagging"], "Reads whether the bucket exists, and its mark." }
    GetBucketEncryption { "s3", 100, ["s3:GetEncryptionConfiguration"], "Reads with which key new objects are encrypted." }
    GetBucketVersioning { "s3", 100, ["s3:GetBucketVersioning"], "Reads whether old versions are kept." }
    GetPublicAccessBlock { "s3", 100, ["s3:GetBucketPublicAccessBlock"], "Reads whether public access is closed." }
    GetBucketPolicy { "s3", 100, ["s3:GetBucketPolicy"], "Reads whether requests without TLS are refused, and what others have added." }
    CreateBucket { "s3", 20, ["s3:CreateBucket", "s3:TagResource"], "Makes the bucket with its tags." }
    PutBucketTagging { "s3", 20, ["s3:PutBucketTagging"], "Corrects tags and mark of the bucket." }
    PutPublicAccessBlock { "s3", 20, ["s3:PutBucketPublicAccessBlock"], "Closes public access where it is open." }
    PutBucketEncryption { "s3", 20, ["s3:PutEncryptionConfiguration"], "Has new objects encrypted with the product's key." }
    PutBucketVersioning { "s3", 20, ["s3:PutBucketVersioning"], "Has old versions kept." }
    PutBucketPolicy { "s3", 20, ["s3:PutBucketPolicy"], "Has requests without TLS refused." }
    DeleteBucketPolicy { "s3", 20, ["s3:DeleteBucketPolicy"], "Removes a policy that held nothing but our statement, where the class does not want it." }
    ListObjectVersions { "s3", 20, ["s3:ListBucketVersions"], "Proves that a bucket is empty before it is removed." }
    DeleteBucket { "s3", 20, ["s3:DeleteBucket"], "Removes a bucket that is proven empty." }
    GetDatabase { "glue", 20, ["glue:GetDatabase"], "Reads the catalog database." }
    GetDatabases { "glue", 5, ["glue:GetDatabases"], "Reads in bulk which catalog databases still exist." }
    GetDatabaseTags { "glue", 20, ["glue:GetTags"], "Reads the database's tags, the mark among them." }
    CreateDatabase { "glue", 10, ["glue:CreateDatabase", "glue:TagResource"], "Makes the database with its tags and default permissions." }
    UpdateDatabase { "glue", 10, ["glue:UpdateDatabase"], "Corrects the database." }
    TagDatabase { "glue", 10, ["glue:TagResource"], "Corrects tags and mark of the database." }
    DeleteDatabase { "glue", 10, ["glue:DeleteDatabase"], "Removes a database without tables." }
    GetTables { "glue", 10, ["glue:GetTables"], "Proves that a database has no tables before it is removed." }
    ListPermissions { "lakeformation", 20, ["lakeformation:ListPermissions"], "Reads what is granted on the database and on its tables." }
    BatchGrantPermissions { "lakeformation", 10, ["lakeformation:BatchGrantPermissions", "lakeformation:GrantPermissions", "glue:GetDatabase", "glue:GetTable"], "Grants, for up to 20 principals of any products at once." }
    BatchRevokePermissions { "lakeformation", 10, ["lakeformation:BatchRevokePermissions", "lakeformation:RevokePermissions", "glue:GetDatabase", "glue:GetTable"], "Revokes, in the same way." }
    DescribeAlarms { "cloudwatch", 8, ["cloudwatch:DescribeAlarms"], "Reads alarms and their state, up to 100 at once." }
    ListAlarmTags { "cloudwatch", 8, ["cloudwatch:ListTagsForResource"], "Reads the alarm's tags, the mark among them." }
    PutMetricAlarm { "cloudwatch", 3, ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"], "Makes the alarm with its tags, or corrects it." }
    TagAlarm { "cloudwatch", 8, ["cloudwatch:TagResource"], "Corrects tags and mark of the alarm." }
    DeleteAlarms { "cloudwatch", 3, ["cloudwatch:DeleteAlarms"], "Removes the alarm." }
    GetMetricData { "cloudwatch", 40, ["cloudwatch:GetMetricData"], "Reads service levels, up to 500 metrics at once." }
    CreateTopic { "sns", 10, ["sns:CreateTopic", "sns:TagResource"], "Makes the topic of a domain, once for each." }
}

impl Call {
    /// The operation as the service names it.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::TagKey | Self::TagDatabase | Self::TagAlarm => "TagResource",
            Self::GetDatabaseTags => "GetTags",
            Self::ListAlarmTags => "ListTagsForResource",
            other => other.name(),
        }
    }
}

/// How often each call was made, with `ok` or the kind of its error.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeMap<(Call, &'static str), u64>>);

impl Calls {
    pub(super) fn count(&self, call: Call, outcome: Option<ErrorKind>) {
        let outcome = outcome.map_or("ok", ErrorKind::as_str);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((call, outcome)).or_default() += 1;
    }

    /// The counts at this instant.
    pub fn snapshot(&self) -> BTreeMap<(Call, &'static str), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of times that a call was made, whatever became of it.
    pub fn made(&self, call: Call) -> u64 {
        self.snapshot().iter().filter(|((made, _), _)| *made == call).map(|(_, count)| count).sum()
    }

    /// Number of times that a call had its effect and its answer.
    pub fn succeeded(&self, call: Call) -> u64 {
        self.snapshot().get(&(call, "ok")).copied().unwrap_or_default()
    }

    /// Number of all calls.
    pub fn total(&self) -> u64 {
        self.snapshot().values().sum()
    }
}

/// The turns of one account and region: a token bucket for each call.
pub(super) struct Turns(BTreeMap<u32, DefaultKeyedRateLimiter<Call>>);

impl Turns {
    pub(super) fn new() -> Self {
        let mut turns = BTreeMap::new();
        for call in Call::ALL {
            let rate = NonZeroU32::new(call.per_second()).unwrap_or(NonZeroU32::MIN);
            turns.entry(rate.get()).or_insert_with(|| RateLimiter::keyed(Quota::per_second(rate)));
        }
        Self(turns)
    }

    /// Every turn comes at once.
    pub(super) const fn unlimited() -> Self {
        Self(BTreeMap::new())
    }

    /// Waits for the turn of a call; false when it does not come soon enough.
    pub(super) async fn wait(&self, call: Call) -> bool {
        let Some(turns) = self.0.get(&call.per_second()) else { return true };
        tokio::time::timeout(TURN, turns.until_key_ready(&call)).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_has_to_wait_too_long_is_told_so() {
        let turns = Turns::new();
        for _ in 0..Call::CreateKey.per_second() {
            assert!(turns.wait(Call::CreateKey).await, "a burst of one second");
        }
        // Other calls have turns of their own.
        assert!(turns.wait(Call::CreateAlias).await);
    }

    #[test]
    fn every_call_says_why_and_is_of_a_service() {
        for call in Call::ALL {
            assert!(call.why().ends_with('.'), "{call:?}");
            let service = call.service();
            for action in call.actions() {
                let prefix = action.split(':').next().unwrap_or_default();
                // Whoever grants on a database must be allowed to look at it.
                let others = [("tag", "tagging"), ("glue", "lakeformation")];
                assert!(prefix == service || others.contains(&(prefix, service)), "{call:?}: {action}");
            }
        }
    }
}
