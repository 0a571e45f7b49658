//! What a server says it can do, in its answer to EHLO (RFC 5321 §4.1.1.1). Unknown keywords are kept for reading only.

/// The extensions that a server offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    pub pipelining: bool,
    pub start_tls: bool,
    pub eight_bit_mime: bool,
    pub dsn: bool,
    pub enhanced_codes: bool,
    /// `Some(0)`: offered, without a limit that is known (RFC 1870 §4).
    pub size: Option<u64>,
    /// Sign-in mechanisms, in upper case.
    pub auth: Vec<String>,
    /// Every keyword with its parameters, as it came.
    pub all: Vec<String>,
}

impl Extensions {
    /// From the text of the answer: its first line is a greeting, each other one a keyword with parameters.
    pub fn parse(text: &str) -> Extensions {
        let mut found = Extensions::default();
        for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
            found.all.push(line.to_owned());
            // Some old servers write AUTH=LOGIN.
            let mut words = line.split([' ', '=']);
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "PIPELINING" => found.pipelining = true,
                "STARTTLS" => found.start_tls = true,
                "8BITMIME" => found.eight_bit_mime = true,
                "DSN" => found.dsn = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_codes = true,
                "SIZE" => found.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                "AUTH" => found.auth.extend(words.filter(|w| !w.is_empty()).map(str::to_ascii_uppercase)),
                _ => {}
            }
        }
        found
    }

    /// The largest mail in bytes that the server says it takes.
    pub fn size_limit(&self) -> Option<u64> {
        self.size.filter(|limit| *limit > 0)
    }

    pub(super) fn offers_auth(&self, mechanism: &str) -> bool {
        self.auth.iter().any(|m| m == mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_read_whatever_their_case_and_age() {
        let found = Extensions::parse(
            "mx.example greets you\npipelining\nSIZE 35882577\nAUTH PLAIN login\nAUTH=XOAUTH2\nX-OWN a b\n",
        );
        assert!(found.pipelining && !found.start_tls && !found.dsn);
        assert_eq!(found.size_limit(), Some(35_882_577));
        assert_eq!(found.auth, ["PLAIN", "LOGIN", "XOAUTH2"]);
        assert_eq!(found.all.len(), 5);
        assert_eq!(Extensions::parse("SIZE 5"), Extensions::default(), "the first line is the greeting");
        assert_eq!(Extensions::parse("x\nSIZE").size, Some(0));
        assert_eq!(Extensions::parse("x\nSIZE").size_limit(), None);
    }
}
