//! The shortest way through the backend on which every one of its calls is made: a product is made, changed, measured,
//! taken down, and its key taken back.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    model::{
        arn,
        attributes::{Attributes, Bucket, CatalogDatabase, EncryptionKey, FreshnessAlarm, Grants},
        measurement::{Objective, Subject},
        name::{Names, Overrides},
        owner::{DeletionPolicy, Owner},
        resource::{Delta, Desired, Health, Kind, Look, Observed, Removal, Sought, Tags},
    },
    provider::{
        Provider,
        aws::{Call, Calls},
    },
};

use crate::{audit::Auditor, support::emulators::REGION};

const DOMAIN: &str = "orders";

/// One product in an account.
pub(crate) struct Tour<'a> {
    provider: &'a dyn Provider,
    calls: &'a Calls,
    product: &'a str,
    names: Names,
    owner: Owner,
    topic: String,
}

impl<'a> Tour<'a> {
    pub(crate) fn of(
        provider: &'a dyn Provider,
        calls: &'a Calls,
        account: &str,
        product: &'a str,
    ) -> Result<Self> {
        let purpose = format!("{DOMAIN}/{product}");
        let owner = Owner {
            cluster: "tour".to_owned(),
            uid: format!("uid-of-{product}"),
            product: purpose.clone(),
            purpose,
            deletion: DeletionPolicy::Delete,
            released: false,
        };
        let names = Names::of(DOMAIN, product, account, Overrides::default())?;
        Ok(Self { provider, calls, product, names, owner, topic: arn::alerts(account, REGION, DOMAIN) })
    }

    /// The way with some kinds of resource; the whole way is that with all of them.
    pub(crate) async fn walk(&self, kinds: &[Kind]) -> Result<()> {
        for kind in kinds {
            self.make(*kind).await?;
        }
        self.look_again(kinds).await?;
        for kind in kinds {
            self.change(*kind).await?;
        }
        if kinds.contains(&Kind::FreshnessAlarm) {
            self.measure().await?;
        }
        for kind in kinds.iter().rev() {
            self.remove(*kind).await?;
        }
        if kinds.contains(&Kind::EncryptionKey) { self.make(Kind::EncryptionKey).await } else { Ok(()) }
    }

    async fn measure(&self) -> Result<()> {
        let subject = Subject {
            domain: DOMAIN.to_owned(),
            product: self.product.to_owned(),
            bucket: self.names.key(Kind::Bucket),
            alarm: self.names.key(Kind::FreshnessAlarm),
            objectives: Objective::ALL.to_vec(),
            look: Look::Full,
        };
        self.provider.measure(&subject).await?;
        Ok(())
    }

    /// Takes over a key that people of the account made, without any tag.
    pub(crate) async fn adopt_key(&self, people: &Auditor) -> Result<()> {
        let made = people.kms.create_key().send().await?.key_metadata.context("a key")?;
        let alias = format!("alias/{}", self.names.encryption_key);
        people.kms.create_alias().alias_name(alias).target_key_id(made.key_id()).send().await?;
        let found = self.seen(Kind::EncryptionKey).await?.context("the key")?;
        ensure!(found.owner.is_none(), "nobody has marked it: {:?}", found.owner);
        self.update_to(self.desired(Kind::EncryptionKey, false)).await
    }

    /// Looks as at a regular visit, where nothing is expected to have changed: only listings of the account are read. Where
    /// they may not be, everything works all the same, with calls for every single resource.
    async fn look_again(&self, kinds: &[Kind]) -> Result<()> {
        let single = [Call::DescribeKey, Call::GetBucketTagging, Call::GetDatabase, Call::GetDatabaseTags];
        let made = || single.map(|call| self.calls.made(call));
        let before = made();
        for kind in kinds {
            self.looked_at(*kind, Look::Usual).await?.context("it is there")?;
        }
        ensure!(made() == before, "everything was looked at anew: {before:?}, {:?}", made());
        Ok(())
    }

    async fn make(&self, kind: Kind) -> Result<()> {
        let desired = self.desired(kind, false);
        self.provider.create(&desired).await?;
        self.is_as(&desired).await
    }

    async fn change(&self, kind: Kind) -> Result<()> {
        self.update_to(self.desired(kind, true)).await
    }

    async fn update_to(&self, desired: Desired) -> Result<()> {
        let found = self.seen(desired.key.kind).await?.context("it is there")?;
        self.provider.update(&desired, &Delta::between(&desired, &found)).await?;
        self.is_as(&desired).await
    }

    async fn remove(&self, kind: Kind) -> Result<()> {
        let removal = Removal { key: self.names.key(kind), owner: self.owner.clone(), key_window_days: 7 };
        self.provider.delete(&removal).await?;
        let left = self.seen(kind).await?.map(|left| left.health);
        ensure!(left.is_none() || left == Some(Health::PendingDeletion), "{kind}: {left:?}");
        Ok(())
    }

    async fn seen(&self, kind: Kind) -> Result<Option<Observed>> {
        self.looked_at(kind, Look::Full).await
    }

    async fn looked_at(&self, kind: Kind, look: Look) -> Result<Option<Observed>> {
        let sought = Sought { key: self.names.key(kind), owner: self.owner.clone(), look };
        Ok(self.provider.observe(&sought).await?)
    }

    async fn is_as(&self, desired: &Desired) -> Result<()> {
        let found = self.seen(desired.key.kind).await?.context("it is there")?;
        let delta = Delta::between(desired, &found);
        ensure!(delta.is_empty() && found.health == Health::Live, "{}: {delta}", desired.key);
        Ok(())
    }

    fn desired(&self, kind: Kind, changed: bool) -> Desired {
        let attributes = match kind {
            Kind::EncryptionKey => Attributes::EncryptionKey(self.key(changed)),
            Kind::Bucket => Attributes::Bucket(self.bucket(changed)),
            Kind::CatalogDatabase => Attributes::CatalogDatabase(self.database(changed)),
            Kind::Grant => Attributes::Grant(grants(changed)),
            Kind::FreshnessAlarm => Attributes::FreshnessAlarm(self.alarm(changed)),
        };
        Desired { key: self.names.key(kind), owner: self.owner.clone(), attributes }
    }

    fn tags(&self, changed: bool) -> Tags {
        let version = if changed { "2.0.0" } else { "1.0.0" };
        [("ManagedBy", "datamesh-operator"), ("DataProduct", self.product), ("Version", version)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    fn key(&self, changed: bool) -> EncryptionKey {
        EncryptionKey {
            description: if changed { "changed" } else { "made" }.to_owned(),
            rotation: true,
            named: true,
            surplus: BTreeSet::new(),
            tags: self.tags(changed),
        }
    }

    /// The change takes the refusal of plain text away, which is all that its policy holds.
    fn bucket(&self, changed: bool) -> Bucket {
        Bucket {
            encryption_key: Some(self.names.encryption_key.clone()),
            bucket_key: true,
            versioning: true,
            public_access_blocked: true,
            tls_only: !changed,
            tags: self.tags(changed),
        }
    }

    fn database(&self, changed: bool) -> CatalogDatabase {
        CatalogDatabase {
            bucket: self.names.bucket.clone(),
            default_permissions: changed.then(|| "SELECT".to_owned()).into_iter().collect(),
            tags: self.tags(changed),
        }
    }

    fn alarm(&self, changed: bool) -> FreshnessAlarm {
        FreshnessAlarm {
            namespace: format!("DataMesh/{DOMAIN}"),
            metric: "DataFreshnessMinutes".to_owned(),
            product: self.product.to_owned(),
            statistic: "Maximum".to_owned(),
            comparison: "GreaterThanThreshold".to_owned(),
            period_seconds: 300,
            evaluation_periods: 2,
            threshold_minutes: if changed { 120 } else { 60 },
            missing_data: "breaching".to_owned(),
            description: "late".to_owned(),
            topic: Some(self.topic.clone()),
            tags: self.tags(changed),
        }
    }
}

/// The change gives access to somebody else, and to the tables as well as to the database.
fn grants(changed: bool) -> Grants {
    let (principal, word) = if changed { ("reader", "SELECT") } else { ("team", "ALL") };
    let principal = format!("arn:aws:iam::333333333333:role/{principal}");
    Grants { entries: [(principal, BTreeSet::from([word.to_owned()]))].into() }
}
