//! The certificate that the webhook serves, and the authority that signs it: made here, renewed here, kept elsewhere.
//!
//! Pure but for the chance that keys are made of: what is kept and the time go in, what is to be kept comes out. An
//! authority is announced long before it signs and trusted until it ends, so that nobody ever meets a certificate that
//! they cannot check.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};

/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How long certificates live. Each is replaced after two thirds of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// Life of an authority. It must be several times that of what it signs.
    pub authority: SignedDuration,
    /// Life of what is served.
    pub serving: SignedDuration,
}

impl Default for Lives {
    fn default() -> Self {
        Self { authority: SignedDuration::from_hours(24 * 365), serving: SignedDuration::from_hours(24 * 30) }
    }
}

/// From when to when something is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    from: Timestamp,
    until: Timestamp,
}

impl Life {
    fn from(from: Timestamp, length: SignedDuration) -> Result<Self, CertificateError> {
        let until = from.checked_add(length).map_err(|_| CertificateError::Time)?;
        Ok(Self { from, until })
    }

    /// Whether two thirds of it are over.
    fn is_due(self, now: Timestamp) -> bool {
        let (all, spent) = (self.until.duration_since(self.from), now.duration_since(self.from));
        spent >= all / 3 * 2
    }
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// Its name, which no other one has.
    name: String,
    life: Life,
    /// Its certificate as PEM.
    certificate: String,
}

/// A key as PEM, which no log ever shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateKey(pub String);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Serving {
    /// The name or address under which the webhook is called.
    host: String,
    /// The name of the authority that signed it.
    issuer: String,
    life: Life,
    /// The certificate as PEM.
    #[serde(skip)]
    pub certificate: String,
    /// Its key.
    #[serde(skip)]
    pub key: PrivateKey,
}

/// Everything that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The authorities, the newest first.
    pub authorities: Vec<Authority>,
    /// Key of the newest authority.
    #[serde(skip)]
    pub authority_key: PrivateKey,
    /// What is served.
    pub serving: Serving,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The library refused.
    #[error("a certificate cannot be made: {0}")]
    Refused(#[from] rcgen::Error),
    /// The clock is beyond every calendar.
    #[error("a certificate cannot be made: its life ends beyond the end of time; check the clock")]
    Time,
}

impl Kept {
    /// The certificates of all authorities, as whoever calls the webhook must trust them.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(|authority| authority.certificate.as_str()).collect()
    }
}

/// What is to be kept from now on, for a webhook that is called by a host's name or address; `None` where it is what is kept.
pub fn renewed(
    kept: Option<&Kept>,
    host: &str,
    lives: Lives,
    now: Timestamp,
) -> Result<Option<Kept>, CertificateError> {
    let mut authorities = kept.map(|kept| kept.authorities.clone()).unwrap_or_default();
    authorities.retain(|authority| now < authority.life.until);
    let old_key = kept
        .map(|kept| kept.authority_key.clone())
        .filter(|_| authorities.first().is_some_and(|authority| !authority.life.is_due(now)));
    // A key that cannot be read signs nothing any more.
    let old_key = old_key.filter(|key| KeyPair::from_pem(&key.0).is_ok());
    let authority_key = if let Some(key) = old_key {
        key
    } else {
        let (authority, key) = authority(lives, now)?;
        authorities.insert(0, authority);
        key
    };
    let usable = kept.map(|kept| &kept.serving).filter(|serving| {
        let trusted = authorities.iter().any(|authority| authority.name == serving.issuer);
        serving.host == host && trusted && !serving.life.is_due(now)
    });
    let serving = match (usable, authorities.first()) {
        (Some(serving), _) => serving.clone(),
        (None, Some(authority)) => serving(authority, &authority_key, host, lives, now)?,
        (None, None) => return Err(CertificateError::Time),
    };
    let renewed = Kept { authorities, authority_key, serving };
    Ok((kept != Some(&renewed)).then_some(renewed))
}

fn authority(lives: Lives, now: Timestamp) -> Result<(Authority, PrivateKey), CertificateError> {
    let key = KeyPair::generate()?;
    let name = format!("dataproduct webhook {}", now.as_nanosecond());
    let life = Life::from(now, lives.authority)?;
    let certificate = of_authority(&name, life)?.self_signed(&key)?.pem();
    Ok((Authority { name, life, certificate }, PrivateKey(key.serialize_pem())))
}

/// The settings of an authority's certificate, from which its signatures are made too.
fn of_authority(name: &str, life: Life) -> Result<CertificateParams, CertificateError> {
    let mut params = of_life(CertificateParams::default(), name, life)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn serving(
    authority: &Authority,
    authority_key: &PrivateKey,
    host: &str,
    lives: Lives,
    now: Timestamp,
) -> Result<Serving, CertificateError> {
    let key = KeyPair::generate()?;
    let life = Life::from(now, lives.serving)?;
    let mut params = of_life(CertificateParams::new(vec![host.to_owned()])?, "dataproduct webhook", life)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let issuer = of_authority(&authority.name, authority.life)?;
    let issuer = Issuer::new(issuer, KeyPair::from_pem(&authority_key.0)?);
    let certificate = params.signed_by(&key, &issuer)?.pem();
    Ok(Serving {
        host: host.to_owned(),
        issuer: authority.name.clone(),
        life,
        certificate,
        key: PrivateKey(key.serialize_pem()),
    })
}

fn of_life(
    mut params: CertificateParams,
    name: &str,
    life: Life,
) -> Result<CertificateParams, CertificateError> {
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    let from = life.from.checked_sub(SKEW).map_err(|_| CertificateError::Time)?;
    let instant = |at: Timestamp| {
        let seconds = u64::try_from(at.as_second()).map_err(|_| CertificateError::Time)?;
        Ok::<_, CertificateError>(rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds))
    };
    params.not_before = instant(from)?;
    params.not_after = instant(life.until)?;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Lives =
        Lives { authority: SignedDuration::from_hours(90), serving: SignedDuration::from_hours(9) };

    fn at(hour: i64) -> Timestamp {
        let begin: Timestamp = "2026-11-26T00:00:00Z".parse().expect("an instant");
        begin + SignedDuration::from_hours(hour)
    }

    fn made(kept: Option<&Kept>, hour: i64) -> Option<Kept> {
        renewed(kept, "webhook.system.svc", LIVES, at(hour)).expect("a certificate")
    }

    #[test]
    fn what_is_served_is_renewed_after_two_thirds_of_its_life_by_the_same_authority() {
        let first = made(None, 0).expect("something new");
        assert_eq!(made(Some(&first), 5), None);
        let second = made(Some(&first), 6).expect("something new");
        assert_eq!(second.authorities, first.authorities);
        assert_eq!(second.authority_key, first.authority_key);
        assert_ne!(second.serving.certificate, first.serving.certificate);
        assert_ne!(second.serving.key, first.serving.key);
    }

    #[test]
    fn an_authority_is_announced_before_it_signs_and_trusted_until_it_ends() {
        let mut kept = made(None, 0).expect("something new");
        let old = kept.authorities[0].clone();
        for hour in 1..60 {
            kept = made(Some(&kept), hour).unwrap_or(kept);
        }
        let before = kept.serving.clone();
        kept = made(Some(&kept), 60).expect("another authority");
        assert_eq!(kept.authorities.len(), 2);
        assert_eq!(kept.authorities[1], old);
        assert!(kept.bundle().matches("BEGIN CERTIFICATE").count() == 2, "both are trusted");
        // At this hour what is served is due as well; a certificate that is not goes on under the old one.
        let fresh = Serving { life: Life::from(at(59), LIVES.serving).expect("a life"), ..before };
        let early = Kept { authorities: vec![old.clone()], serving: fresh.clone(), ..kept.clone() };
        assert_eq!(made(Some(&early), 60).expect("another authority").serving, fresh);
        for hour in 61..90 {
            kept = made(Some(&kept), hour).unwrap_or(kept);
            assert!(kept.authorities.contains(&old), "{hour}");
        }
        kept = made(Some(&kept), 90).expect("an end");
        assert!(!kept.authorities.contains(&old) && kept.authorities.len() == 1);
        assert_eq!(kept.serving.issuer, kept.authorities[0].name);
    }

    #[test]
    fn another_host_a_lost_key_and_a_long_sleep_give_new_certificates() {
        let kept = made(None, 0).expect("something new");
        let moved = renewed(Some(&kept), "127.0.0.1", LIVES, at(1)).expect("a certificate").expect("another");
        assert_eq!((moved.authorities, moved.serving.host.as_str()), (kept.authorities.clone(), "127.0.0.1"));
        let lost = Kept { authority_key: PrivateKey("?".to_owned()), ..kept.clone() };
        assert!(!format!("{kept:?}").contains("PRIVATE KEY"), "no log shows a key");
        let mended = made(Some(&lost), 1).expect("another authority");
        assert_eq!((mended.authorities.len(), &mended.serving), (2, &kept.serving));
        let late = made(Some(&kept), 1000).expect("all anew");
        assert_eq!(late.authorities.len(), 1);
        assert_ne!(late.authorities, kept.authorities);
    }
}
