//! Who a mail is from and for, and which delivery reports are asked for; and the commands that say so (RFC 5321 §4.1.1.2,
//! RFC 1870, 6152, 3461). What the server does not offer is left out.

use super::extensions::Extensions;
use cadenza_core::compose::Address;

/// The envelope of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; `None` is the null sender, for mail that must not be answered.
    pub from: Option<Address>,
    /// All or none: where one recipient is refused, the mail is not offered to the others.
    pub to: Vec<Address>,
    /// Asked for where the server offers DSN.
    pub reports: DeliveryReports,
}

/// What to be told about the delivery (RFC 3461).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReports {
    /// Comes back in each report.
    pub id: Option<EnvelopeId>,
    pub notify: Notify,
    pub give_back: Return,
}

/// When to be told (§4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    #[default]
    FailureAndDelay,
    SuccessFailureAndDelay,
    Never,
}

/// How much of the mail a report of failure gives back (§4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Return {
    #[default]
    Headers,
    Full,
}

/// An ENVID: 1 to 100 characters of visible ASCII (§4.4), which xtext may make longer on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnvelopeId(String);

/// Why a text cannot be an ENVID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no envelope id: expected 1 to 100 visible ASCII characters")]
pub struct InvalidEnvelopeId {
    pub found: String,
}

impl Envelope {
    /// To one recipient, with reports of failure and delay and no id.
    pub fn new(from: Option<Address>, to: Address) -> Envelope {
        Envelope { from, to: vec![to], reports: DeliveryReports::default() }
    }
}

impl EnvelopeId {
    pub fn new(id: &str) -> Result<EnvelopeId, InvalidEnvelopeId> {
        if (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(EnvelopeId(id.to_owned()))
        } else {
            Err(InvalidEnvelopeId { found: id.chars().take(80).collect() })
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends the MAIL command.
pub(super) fn write_mail(out: &mut Vec<u8>, envelope: &Envelope, body: &[u8], offered: &Extensions) {
    out.extend_from_slice(b"MAIL FROM:<");
    out.extend_from_slice(envelope.from.as_ref().map_or("", Address::as_str).as_bytes());
    out.push(b'>');
    if offered.size.is_some() {
        out.extend_from_slice(b" SIZE=");
        out.extend_from_slice(body.len().to_string().as_bytes());
    }
    if offered.eight_bit_mime && !body.is_ascii() {
        out.extend_from_slice(b" BODY=8BITMIME");
    }
    if offered.dsn {
        out.extend_from_slice(match envelope.reports.give_back {
            Return::Headers => b" RET=HDRS",
            Return::Full => b" RET=FULL",
        });
        if let Some(EnvelopeId(id)) = &envelope.reports.id {
            out.extend_from_slice(b" ENVID=");
            write_xtext(out, id);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the RCPT command for one recipient.
pub(super) fn write_rcpt(out: &mut Vec<u8>, to: &Address, reports: &DeliveryReports, offered: &Extensions) {
    out.extend_from_slice(b"RCPT TO:<");
    out.extend_from_slice(to.as_str().as_bytes());
    out.push(b'>');
    if offered.dsn {
        out.extend_from_slice(match reports.notify {
            Notify::FailureAndDelay => b" NOTIFY=FAILURE,DELAY".as_slice(),
            Notify::SuccessFailureAndDelay => b" NOTIFY=SUCCESS,FAILURE,DELAY",
            Notify::Never => b" NOTIFY=NEVER",
        });
        out.extend_from_slice(b" ORCPT=rfc822;");
        write_xtext(out, to.as_str());
    }
    out.extend_from_slice(b"\r\n");
}

/// RFC 3461 §4: `+` and `=` as hexadecimal; visible ASCII is all that comes here.
fn write_xtext(out: &mut Vec<u8>, text: &str) {
    for b in text.bytes() {
        match b {
            b'+' => out.extend_from_slice(b"+2B"),
            b'=' => out.extend_from_slice(b"+3D"),
            b => out.push(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(offered: &Extensions, body: &[u8]) -> String {
        let mut envelope =
            Envelope::new(Some("ada@sender.example".parse().unwrap()), "bob+x@recipient.example".parse().unwrap());
        envelope.reports.id = Some(EnvelopeId::new("snd_1=a+b").unwrap());
        let mut out = Vec::new();
        write_mail(&mut out, &envelope, body, offered);
        write_rcpt(&mut out, &envelope.to[0], &envelope.reports, offered);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_the_server_offers_is_asked_for() {
        let bare = Extensions::default();
        assert_eq!(commands(&bare, b"x"), "MAIL FROM:<ada@sender.example>\r\nRCPT TO:<bob+x@recipient.example>\r\n");
        let all = Extensions::parse("mx.example\nSIZE 1000\n8BITMIME\nDSN\nPIPELINING");
        assert_eq!(
            commands(&all, "ü".as_bytes()),
            "MAIL FROM:<ada@sender.example> SIZE=2 BODY=8BITMIME RET=HDRS ENVID=snd_1+3Da+2Bb\r\n\
             RCPT TO:<bob+x@recipient.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob+2Bx@recipient.example\r\n"
        );
    }

    #[test]
    fn an_envelope_id_is_visible_ascii() {
        for bad in ["", "a b", "a\r\n", "ä", &"x".repeat(101)] {
            assert!(EnvelopeId::new(bad).is_err(), "{bad:?}");
        }
    }
}
