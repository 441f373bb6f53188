//! Owners and roles.

use serde_json::Value;

use super::{
    ContractError, custom,
    note::Notes,
    odcs::{NamedTeam, Role, Support, Team},
};
use crate::api::product::{self, Owner, Permission};

/// The field of a role that the word for its access says, as far as it goes.
const PERMISSIONS: &str = "permissions";

/// Access to read, and to change.
const READ: &str = "read";
const WRITE: &str = "write";

/// The team of an owner and the ways to reach it.
pub(super) fn write(owner: &Owner) -> Result<(Option<Team>, Vec<Support>), ContractError> {
    let channel = |channel: &String, tool: &str, url: Option<String>| Support {
        channel: channel.clone(),
        tool: Some(tool.to_owned()),
        url,
    };
    let email = owner.email.as_ref().map(|email| channel(email, "email", Some(format!("mailto:{email}"))));
    let slack = owner.slack.as_ref().map(|slack| channel(slack, "slack", None));
    let support: Vec<_> = email.into_iter().chain(slack).collect();

    let mut team = NamedTeam { name: owner.team.clone(), custom_properties: None };
    let back = natural(Some(&Team::Named(team.clone())), &support, &mut Notes::default());
    team.custom_properties = custom::remainder(owner, &back)?;
    let team = (team != NamedTeam::default()).then_some(Team::Named(team));
    Ok((team, support))
}

/// The owner that a team and its channels mean.
pub(super) fn read(
    team: Option<&Team>,
    support: &[Support],
    notes: &mut Notes,
) -> Result<Option<Owner>, ContractError> {
    let owner = natural(team, support, notes);
    let owner = match team {
        Some(Team::Named(team)) => {
            custom::overlay(owner, team.custom_properties.iter().flatten(), "team.", notes)?
        }
        _ => owner,
    };
    Ok((owner != Owner::default()).then_some(owner))
}

fn natural(team: Option<&Team>, support: &[Support], notes: &mut Notes) -> Owner {
    let mut owner = Owner::default();
    match team {
        Some(Team::Named(team)) => owner.team = team.name.clone().filter(|name| !name.trim().is_empty()),
        Some(Team::People(people)) if !people.is_empty() => {
            notes.lost("team", "an owner is a team with its channels, not a list of people");
        }
        _ => {}
    }
    for channel in support {
        let path = format!("support[{}]", channel.channel);
        let tool = channel.tool.as_deref().unwrap_or_default().to_ascii_lowercase();
        let url = channel.url.as_deref().unwrap_or_default();
        let mail = url.strip_prefix("mailto:");
        if let (None, Some(email)) = (&owner.email, email(channel, &tool, mail)) {
            if mail.is_some_and(|mail| mail != email) || (mail.is_none() && !url.is_empty()) {
                notes.lost(format!("{path}.url"), format!("the address of the owner is {email}"));
            } else if email != channel.channel {
                notes.lost(format!("{path}.channel"), format!("the address of the owner is {email}"));
            }
            owner.email = Some(email.to_owned());
        } else if owner.slack.is_none()
            && (tool == "slack" || (tool.is_empty() && channel.channel.starts_with('#')))
        {
            let named = channel.channel.starts_with(['#', '@']);
            if !named {
                notes.changed(format!("{path}.channel"), format!("the channel is #{}", channel.channel));
            }
            if !url.is_empty() {
                notes.lost(format!("{path}.url"), "a Slack channel is named, not linked");
            }
            let hash = if named { "" } else { "#" };
            owner.slack = Some(format!("{hash}{}", channel.channel));
        } else {
            notes.lost(path, "an owner has one e-mail address and one Slack channel");
        }
    }
    owner
}

/// The e-mail address of a channel.
fn email<'a>(channel: &'a Support, tool: &str, mail: Option<&'a str>) -> Option<&'a str> {
    let address = |text: &&str| text.split('@').count() == 2 && !text.contains(' ');
    let own = Some(channel.channel.as_str()).filter(address);
    let found = if tool == "email" || mail.is_some() { own.or(mail.filter(address)) } else { None };
    found.filter(|found| !found.starts_with('@') && !found.ends_with('@'))
}

/// The word for what a role may do, and the permissions that it means when nothing else is said. Writing means what the
/// reference gives to those who administer.
fn access(permissions: &[Permission]) -> &'static str {
    use Permission::{Describe, Select};
    if permissions.iter().all(|permission| matches!(permission, Select | Describe)) { READ } else { WRITE }
}

fn meant(access: &str) -> Option<&'static [Permission]> {
    match access.to_ascii_lowercase().as_str() {
        "read" | "select" | "r" => Some(&[Permission::Select]),
        "write" | "readwrite" | "read-write" | "read/write" | "rw" => {
            Some(&[Permission::Select, Permission::Insert, Permission::Update])
        }
        _ => None,
    }
}

/// The role of a contract.
pub(super) fn write_role(role: &product::Role) -> Result<Role, ContractError> {
    let word = access(&role.permissions);
    let back = product::Role {
        name: role.name.clone(),
        permissions: meant(word).unwrap_or_default().to_vec(),
        principals: Vec::new(),
    };
    // What writing means differs from one company to the next, so that the list is always beside the word.
    let back = if word == WRITE { product::Role { permissions: Vec::new(), ..back } } else { back };
    let custom_properties = custom::remainder(role, &back)?;
    Ok(Role { role: role.name.clone(), access: Some(word.to_owned()), custom_properties })
}

/// The role that a contract means; `None` when it does not say what the role may do.
pub(super) fn read_role(role: &Role, notes: &mut Notes) -> Result<Option<product::Role>, ContractError> {
    let path = format!("roles[{}]", role.role);
    let word = role.access.as_deref().unwrap_or_default();
    let natural = meant(word);
    let base = product::Role {
        name: role.role.clone(),
        permissions: natural.unwrap_or_default().to_vec(),
        principals: Vec::new(),
    };
    let read =
        custom::overlay(base.clone(), role.custom_properties.iter().flatten(), &format!("{path}."), notes)?;
    // Who edits the word means it: a list beside it that says something else does not widen it.
    let contradicted = natural.is_some() && access(&read.permissions) != access(&base.permissions);
    let read = if contradicted {
        notes.lost(
            format!("{path}.customProperties[{}{PERMISSIONS}]", custom::PREFIX),
            format!("access is {word}, and these permissions are not"),
        );
        product::Role { permissions: base.permissions, ..read }
    } else {
        read
    };
    if read.permissions.is_empty() {
        notes.lost(path, "what the role may do is not said; say access read or write");
        return Ok(None);
    }
    let listed = custom::value(&role.custom_properties, PERMISSIONS).is_some_and(Value::is_array);
    if !listed && natural.is_some_and(|natural| natural.len() > 1) {
        let words: Vec<_> = read.permissions.iter().map(|permission| permission.as_str()).collect();
        notes.assumed(format!("{path}.access"), format!("{word} means {}", words.join(", ")));
    }
    Ok(Some(read))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_permissions_does_not_widen_what_the_word_beside_it_says() {
        let role = |access: &str, permissions: Value| Role {
            role: "reader".to_owned(),
            access: Some(access.to_owned()),
            custom_properties: Some(vec![custom::property(PERMISSIONS, permissions)]),
        };
        let read = |role| {
            let mut notes = Notes::default();
            let read = read_role(&role, &mut notes).expect("a legal role").expect("a role with permissions");
            (read.permissions, notes.0.len())
        };
        assert_eq!(read(role("read", json!(["ALL"]))), (vec![Permission::Select], 1));
        assert_eq!(read(role("read", json!(["DESCRIBE"]))), (vec![Permission::Describe], 0));
        assert_eq!(read(role("write", json!(["ALL"]))), (vec![Permission::All], 0));
    }

    #[test]
    fn the_owner_is_found_among_the_channels() {
        let channel = |channel: &str, tool: Option<&str>, url: Option<&str>| Support {
            channel: channel.to_owned(),
            tool: tool.map(str::to_owned),
            url: url.map(str::to_owned),
        };
        let support = [
            channel("#product-help", Some("slack"), None),
            channel("datacontract-ann", Some("email"), Some("mailto:datacontract-ann@example.com")),
            channel("Feedback", None, Some("https://feedback.example.com")),
        ];
        let mut notes = Notes::default();
        let owner = read(None, &support, &mut notes).expect("a legal owner").expect("an owner");
        assert_eq!(owner.slack.as_deref(), Some("#product-help"));
        assert_eq!(owner.email.as_deref(), Some("datacontract-ann@example.com"));
        let lost: Vec<_> = notes.0.iter().map(|note| note.path.as_str()).collect();
        assert_eq!(lost, ["support[datacontract-ann].channel", "support[Feedback]"]);
    }
}
