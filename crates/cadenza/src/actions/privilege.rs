//! What a user may do (PRM-1): a closed set of words, and sets of them. Which role has which is stored with the role; the
//! defaults are here.

use std::fmt;
use std::str::FromStr;

macro_rules! privileges {
    ($($variant:ident = $word:literal, $label:literal;)*) => {
        /// One thing that a role allows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Privilege { $($variant),* }
        impl Privilege {
            pub const ALL: &'static [Privilege] = &[$(Privilege::$variant),*];
            pub fn as_str(self) -> &'static str {
                match self { $(Privilege::$variant => $word),* }
            }
            /// As a person reads it.
            pub fn label(self) -> &'static str {
                match self { $(Privilege::$variant => $label),* }
            }
        }
    };
}

privileges! {
    SequencesView = "sequences.view", "See sequences, enrollments and the queue";
    SequencesEnroll = "sequences.enroll", "Enroll contacts and operate enrollments";
    SequencesSave = "sequences.save", "Create, edit and activate own sequences";
    SequencesManageAll = "sequences.manage_all", "Edit and operate everybody's sequences";
    TasksMine = "tasks.mine", "See and do own tasks";
    TasksAll = "tasks.all", "See and do everybody's tasks";
    ContactsEdit = "contacts.edit", "Edit contacts, companies, opportunities and lists";
    ContactsExport = "contacts.export", "Export contacts";
    ContactsErase = "contacts.erase", "Erase people for good";
    MailboxesManage = "mailboxes.manage", "Add and change mailboxes";
    ReportsView = "reports.view", "See reports";
    InboundReceive = "inbound.receive", "Take in mail over the API, as a gateway does";
    SettingsManage = "settings.manage", "Change settings, users and roles";
}

/// A word that names no privilege.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a privilege: expected one of {}", words())]
pub struct UnknownPrivilege {
    pub found: String,
}

/// A set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges(u32);

impl Privileges {
    pub const NONE: Privileges = Privileges(0);

    pub fn all() -> Privileges {
        Privilege::ALL.iter().copied().collect()
    }
    pub fn has(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u32) != 0
    }
    /// What is in both: a token may do no more than its user.
    #[must_use]
    pub fn and(self, other: Privileges) -> Privileges {
        Privileges(self.0 & other.0)
    }
    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::ALL.iter().copied().filter(move |p| self.has(*p))
    }
    /// What the role of that name has before anybody changes it. `None`: a role of one's own begins with nothing.
    pub fn of_role(name: &str) -> Option<Privileges> {
        use Privilege::{ContactsEdit, ReportsView, SequencesEnroll, SequencesSave, SequencesView, TasksMine};
        let viewer = [SequencesView, ReportsView];
        Some(match name {
            "Admin" => Privileges::all(),
            "Manager" => Privileges::all()
                .iter()
                .filter(|p| {
                    !matches!(p, Privilege::SettingsManage | Privilege::ContactsExport | Privilege::ContactsErase)
                })
                .collect(),
            "Member" => viewer.into_iter().chain([SequencesEnroll, SequencesSave, TasksMine, ContactsEdit]).collect(),
            "Viewer" => viewer.into_iter().collect(),
            _ => return None,
        })
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Privileges {
        Privileges(privileges.into_iter().fold(0, |bits, p| bits | (1 << p as u32)))
    }
}

impl FromStr for Privilege {
    type Err = UnknownPrivilege;
    fn from_str(word: &str) -> Result<Privilege, UnknownPrivilege> {
        Privilege::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == word)
            .ok_or_else(|| UnknownPrivilege { found: word.chars().take(64).collect() })
    }
}
impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn words() -> String {
    Privilege::ALL.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_those_of_the_product() {
        let of = |role| Privileges::of_role(role).unwrap();
        assert_eq!(of("Admin"), Privileges::all());
        let lacks: Vec<_> = of("Admin").iter().filter(|p| !of("Manager").has(*p)).map(Privilege::as_str).collect();
        assert_eq!(lacks, ["contacts.export", "contacts.erase", "settings.manage"]);
        assert!(of("Member").has(Privilege::TasksMine) && !of("Member").has(Privilege::SequencesManageAll));
        assert_eq!(of("Viewer").iter().count(), 2);
        assert!(Privileges::of_role("Intern").is_none());
        for p in Privilege::ALL {
            assert_eq!(p.as_str().parse(), Ok(*p));
        }
    }
}
