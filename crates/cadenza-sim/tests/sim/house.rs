//! What there is before a run begins: two workspaces whose records bear the same numbers, so that whatever crosses from one to
//! the other is seen, with users, mailboxes, people and companies, lists and sequences.

use crate::chance::Chance;
use crate::plots;
use crate::scenario::{Scenario, start};
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::{AddressKind, Flow, Priority};
use cadenza_core::ids::{CompanyId, ContactId, ListId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::settings::{Per, Rate, WorkspaceSettings};
use cadenza_core::time::Span;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::companies::{self, Company};
use cadenza_store::contacts::{self, Contact};
use cadenza_store::lists::{self, List};
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::roles::{self, Role};
use cadenza_store::sequences::{self, Sequence, Sharing, SubjectType};
use cadenza_store::users::{self, User, UserState};
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{Database, Tx};

pub const WORKSPACES: [WorkspaceId; 2] = [WorkspaceId(1), WorkspaceId(2)];
pub const USERS: [UserId; 2] = [UserId(7), UserId(8)];
/// People of one company.
const COLLEAGUES: i64 = 3;

/// One sequence as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub workspace: WorkspaceId,
    pub sequence: Sequence,
    pub flow: Flow,
}

/// Everything that was made, as the world knows it without asking the database.
#[derive(Debug, Clone, Default)]
pub struct House {
    pub sequences: Vec<Made>,
    pub mailboxes: Vec<(WorkspaceId, Mailbox)>,
    pub contacts: Vec<(WorkspaceId, Contact)>,
    pub companies: Vec<(WorkspaceId, Company)>,
    pub settings: WorkspaceSettings,
}

pub fn list_of(sequence: SequenceId) -> ListId {
    ListId(sequence.0 + 500)
}

impl House {
    pub fn build(scenario: &Scenario, db: &Database) -> House {
        let mut chance = Chance::new(scenario.seed).branch(1);
        let mut house = House { settings: workspace_settings(scenario, &mut chance), ..House::default() };
        for w in WORKSPACES {
            house.mailboxes.extend((0..scenario.mailboxes).map(|n| (w, mailbox(w, n, scenario, &mut chance))));
            house.companies.extend((0..scenario.people as i64 / COLLEAGUES + 1).map(|n| (w, company(w, n))));
            house.contacts.extend((0..scenario.people as i64).map(|n| (w, contact(w, n, scenario, &mut chance))));
            for n in 0..scenario.sequences {
                let made = sequence(w, n, scenario, &mut chance);
                house.sequences.push(made);
            }
        }
        db.write(|tx| house.furnish(tx)).unwrap();
        house
    }

    fn furnish(&self, tx: &mut Tx) -> cadenza_store::Result<()> {
        for w in WORKSPACES {
            workspaces::create(tx, &workspace(w, &self.settings))?;
            let role = Role { name: "Member".into(), privileges: vec!["tasks.mine".into()], built_in: true };
            roles::save(tx, w, &role)?;
            for id in USERS {
                users::create(tx, w, &user(w, id), None)?;
            }
            for (_, mailbox) in self.mailboxes.iter().filter(|(of, _)| *of == w) {
                mailboxes::create(tx, w, mailbox)?;
            }
            let of = |all: &[(WorkspaceId, Company)]| -> Vec<Company> {
                all.iter().filter(|(of, _)| *of == w).map(|(_, c)| c.clone()).collect()
            };
            companies::insert(tx, w, &of(&self.companies))?;
            let people: Vec<Contact> =
                self.contacts.iter().filter(|(of, _)| *of == w).map(|(_, c)| c.clone()).collect();
            contacts::insert(tx, w, &people)?;
            for made in self.sequences.iter().filter(|made| made.workspace == w) {
                if let Some(id) = made.sequence.list {
                    let name = format!("list {}", id.0);
                    let of = made.sequence.of;
                    lists::create(tx, w, &List { id, name, of, owner: Some(USERS[0]), created_at: start() })?;
                }
                sequences::create(tx, w, &made.sequence, &made.flow)?;
            }
        }
        Ok(())
    }
}

fn workspace_settings(scenario: &Scenario, chance: &mut Chance) -> WorkspaceSettings {
    let mut settings = WorkspaceSettings::default();
    if !scenario.plain {
        if chance.percent(40) {
            settings.contact_cap = Some(Rate { count: 1, per: Per::Day });
        }
        if chance.percent(30) {
            settings.domain_cap = Some(Rate { count: 3, per: Per::Hour });
        }
        if chance.percent(30) {
            settings.workspace_cap = Some(Rate { count: 8, per: Per::Hour });
        }
    }
    settings
}

fn workspace(id: WorkspaceId, settings: &WorkspaceSettings) -> Workspace {
    Workspace {
        id,
        name: format!("Workspace {}", id.0),
        settings: settings.clone(),
        signing_key: vec![id.0 as u8; 32],
        postal_address: "Street 1".into(),
        public_url: String::new(),
        restore_hold: false,
        clock_ahead: Span::ZERO,
        created_at: start(),
    }
}

fn user(w: WorkspaceId, id: UserId) -> User {
    User {
        id,
        address: format!("user{}@w{}.test", id.0, w.0),
        name: "Ada Lovelace".into(),
        role: "Member".into(),
        state: UserState::Active,
        zone: None,
        settings: serde_json::json!({}),
        created_at: start(),
        seen_at: None,
    }
}

fn mailbox(w: WorkspaceId, n: usize, scenario: &Scenario, chance: &mut Chance) -> Mailbox {
    let caps = match (scenario.plain, chance.below(3)) {
        (true, _) => Caps { hour: Some(900), day: Some(5_000), ..Caps::default() },
        (_, 0) => Caps { gap_seconds: Some(120), jitter_seconds: Some(60), hour: Some(6), day: Some(25) },
        (_, 1) => Caps { gap_seconds: Some(30), jitter_seconds: None, hour: None, day: Some(12) },
        _ => Caps { hour: Some(4), ..Caps::default() },
    };
    let server = Server {
        host: "smtp.test".into(),
        port: 587,
        security: Security::Starttls,
        auth: Auth::None,
        login: None,
        secret: None,
    };
    Mailbox {
        id: MailboxId(30 + n as i64),
        owner: USERS[n % 2],
        address: format!("box{n}@w{}.test", w.0),
        name: "Ada".into(),
        sandbox: false,
        signature: String::new(),
        smtp: Some(server),
        imap: None,
        folders: Vec::new(),
        sent_folder: None,
        caps,
        // The first mailbox's inbox is read now and then; the others' cannot be.
        freshness_minutes: 60 * 60,
        plus_addresses: false,
        journaled: false,
        readable: n == 0,
        read_at: Some(start()),
        read_failure: None,
        held: None,
        created_at: start(),
        version: 1,
    }
}

fn typed(value: String) -> Vec<TypedAddress> {
    vec![TypedAddress { kind: AddressKind::Work, value }]
}

fn company(w: WorkspaceId, n: i64) -> Company {
    Company {
        id: CompanyId(n + 1),
        name: format!("Company {n}"),
        website: None,
        owner: Some(USERS[0]),
        zone: None,
        country: None,
        language: None,
        emails: typed(format!("office@c{n}.w{}.example", w.0)),
        phones: typed(format!("+1555{}9{n:05}", w.0)),
        custom: serde_json::Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: None,
        created_at: start(),
        updated_at: start(),
        version: 1,
    }
}

fn contact(w: WorkspaceId, n: i64, scenario: &Scenario, chance: &mut Chance) -> Contact {
    let domain = format!("c{}.w{}.example", n / COLLEAGUES, w.0);
    let mut emails = typed(format!("p{n}@{domain}"));
    let whole = scenario.plain;
    if !whole && chance.percent(30) {
        emails.push(TypedAddress { kind: AddressKind::Personal, value: format!("p{n}.home@{domain}") });
    }
    if !whole && chance.percent(6) {
        emails.clear();
    }
    let first_name = if !whole && chance.percent(5) { String::new() } else { format!("Grace{n}") };
    Contact {
        id: ContactId(n + 1),
        first_name,
        last_name: "Hopper".into(),
        title: String::new(),
        company: Some(CompanyId(n / COLLEAGUES + 1)),
        owner: Some(USERS[(n % 2) as usize]),
        zone: chance.percent(60).then(|| chance.pick(plots::ZONES).parse().unwrap()),
        country: None,
        language: None,
        linkedin: None,
        emails,
        phones: if whole || chance.percent(90) { typed(format!("+1555{}1{n:05}", w.0)) } else { Vec::new() },
        custom: serde_json::Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: None,
        created_at: start(),
        updated_at: start(),
        version: 1,
    }
}

/// Of three sequences the first is fed by a list, and the last of a wild world is for companies.
fn sequence(w: WorkspaceId, n: usize, scenario: &Scenario, chance: &mut Chance) -> Made {
    let id = SequenceId(100 + n as i64);
    let (flow, mut settings) = if scenario.plain { plots::plain(n) } else { plots::drawn(scenario.seed, w, n) };
    let of_companies = !scenario.plain && n == 2;
    if of_companies {
        settings.window = cadenza_core::calendar::Window::always();
    }
    let begin = (!scenario.plain && n == 1 && chance.percent(50)).then(|| start() + Span::days(2));
    let end = (!scenario.plain && chance.percent(30)).then(|| start() + Span::days(20 + chance.below(30) as i64));
    let sequence = Sequence {
        id,
        name: format!("sequence {n}"),
        description: String::new(),
        of: if of_companies { SubjectType::Companies } else { SubjectType::Contacts },
        state: if begin.is_some() { SequenceState::Scheduled } else { SequenceState::Active },
        begin,
        end,
        ended: None,
        held: None,
        primary_user: USERS[0],
        list: (n == 0).then(|| list_of(id)),
        template: None,
        priority: [Priority::Normal, Priority::High, Priority::Low][n % 3],
        settings,
        flow_version: 1,
        sharing: Sharing::Everyone,
        created_by: USERS[0],
        created_at: start(),
        activated_at: Some(start()),
        updated_at: start(),
        version: 1,
    };
    Made { workspace: w, sequence, flow }
}

pub fn subject_of(of: SubjectType, n: i64) -> Subject {
    match of {
        SubjectType::Contacts => Subject::Contact(ContactId(n)),
        SubjectType::Companies => Subject::Company(CompanyId(n)),
    }
}
