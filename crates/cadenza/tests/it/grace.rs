//! Somebody to whom a mail went out from a sequence of two, for tests of what comes back.

use crate::house::{House, Mail};
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::{ContactId, EnrollmentId, SequenceId};
use cadenza_core::time::Span;
use cadenza_store::addresses::TypedAddress;

pub const STEPS: &str = r#"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello {{ contact.first_name }}"
text = "See https://example.com/jobs"

[[branch.step]]
key = "follow"
kind = "email_auto"
delay = "3 days"
same_thread = true
text = "Did you read it?"
"#;

pub struct Written {
    pub sequence: SequenceId,
    pub contact: ContactId,
    pub id: EnrollmentId,
    pub mail: Mail,
}

/// Grace, to whom a mail went out a minute ago.
pub async fn grace(house: &House, settings: &str) -> Written {
    let sequence = house.sequence("first", settings, STEPS).await;
    let phone = TypedAddress { kind: AddressKind::Work, value: "+4930123456".into() };
    let contact = house.contact(&["grace@example.test", "home@example.test"], |c| c.phones = vec![phone]).await;
    let id = house.enroll(sequence, contact).await;
    let mail = house.mails("grace@example.test", 1).await.remove(0);
    house.later(Span::minutes(1));
    Written { sequence, contact, id, mail }
}
