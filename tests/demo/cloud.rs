//! Where the demo keeps the resources of its products: a folder of this machine, or the AWS emulators.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    step,
    support::emulators::{ACCOUNT, Emulators, REGION},
};

/// What stands in for a cloud.
pub(crate) enum Cloud {
    /// The provider `local`: a folder.
    Local(PathBuf),
    /// The provider `aws`: emulators that listen on loopback.
    Aws(Box<Emulators>),
}

impl Cloud {
    /// Starts the cloud that the variable `PROVIDER` names.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let provider = std::env::var("PROVIDER").unwrap_or_else(|_| "local".to_owned());
        match provider.as_str() {
            "local" => {
                let root = folder.join("mesh");
                fs::create_dir_all(&root)?;
                Ok(Self::Local(root))
            }
            "aws" => {
                step("starting the AWS emulators on loopback: moto and MiniStack");
                Ok(Self::Aws(Box::new(Emulators::start().await?)))
            }
            other => bail!("PROVIDER is {other}; it must be local or aws, as in `make demo PROVIDER=aws`"),
        }
    }

    /// What it is called in a sentence.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::Aws(_) => "aws",
        }
    }

    /// The example platform, led to this cloud.
    pub(crate) fn platform(&self, examples: &Path) -> Result<String> {
        let read = |name: &str| {
            fs::read_to_string(examples.join(name)).with_context(|| format!("cannot read {name}"))
        };
        match self {
            Self::Local(root) => {
                Ok(read("platform.yaml")?.replace("/var/lib/datamesh", &root.display().to_string()))
            }
            Self::Aws(emulators) => {
                let region = format!("    region: {REGION}\n");
                Ok(read("platform-aws.yaml")?
                    .replace(&region, &format!("{region}{}", emulators.endpoints("    "))))
            }
        }
    }

    /// The environment of the operator: on AWS keys that open nothing outside of the emulators.
    pub(crate) const fn environment(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Local(_) => &[],
            Self::Aws(_) => &[
                ("AWS_ACCESS_KEY_ID", "testing"),
                ("AWS_SECRET_ACCESS_KEY", "testing"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ],
        }
    }

    /// Puts a file into the bucket of customer-360, as its pipeline would, and has its age known.
    pub(crate) async fn publish_data(&self, bucket: &str) -> Result<()> {
        match self {
            Self::Local(_) => {
                let path = Path::new(bucket.trim_start_matches("file://")).join("part-0001.parquet");
                fs::write(&path, b"PAR1").with_context(|| format!("cannot write {}", path.display()))
            }
            Self::Aws(emulators) => {
                let name = bucket.rsplit(':').next().unwrap_or_default();
                emulators.put(ACCOUNT, &format!("{name}/part-0001.parquet"), "PAR1").await?;
                emulators.publish(REGION, ("customer", "customer-360"), "DataFreshnessMinutes", 5.0).await
            }
        }
    }

    /// What is left of it for people to look at: the whole state of the account, in a file.
    pub(crate) async fn leave_behind(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let Self::Aws(emulators) = self else { return Ok(None) };
        let path = folder.join("aws-state.json");
        fs::write(&path, serde_json::to_string_pretty(&emulators.dump().await?)?)?;
        Ok(Some(path))
    }

    /// How to look at it by hand.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Local(root) => vec![format!("find {}  # the buckets", root.display())],
            Self::Aws(emulators) => vec![
                format!(
                    "aws --endpoint-url {} --region {REGION} s3 ls  # any AWS client, any keys",
                    emulators.moto_url()
                ),
                format!(
                    "aws --endpoint-url {} --region {REGION} cloudwatch describe-alarms",
                    emulators.ministack_url()
                ),
            ],
        }
    }
}
