//! Why an enrollment stands where it stands: the closed sets of reasons, with the names that database, API and screens use.

/// A stored word that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {what}")]
pub struct Unnamed {
    pub what: &'static str,
    pub word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident ($what:literal) { $($variant:ident = $word:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($variant),* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
            /// As a person reads it.
            pub fn label(self) -> &'static str {
                match self { $($name::$variant => $label),* }
            }
            pub fn named(word: &str) -> Result<$name, $crate::enrollment::Unnamed> {
                $name::ALL.iter().copied().find(|v| v.as_str() == word)
                    .ok_or_else(|| $crate::enrollment::Unnamed { what: $what, word: word.to_owned() })
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.as_str()) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(d)?;
                $name::named(&word).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// One cause that keeps an enrollment paused; several may hold at once. The order is the one shown.
    Hold ("hold") {
        Manual = "manual", "Paused by hand";
        LeftList = "left_list", "Taken off the list";
        Reply = "reply", "Replied";
        Colleague = "colleague", "A colleague replied";
        OutOfOffice = "out_of_office", "Out of office";
        Absence = "absence", "The owner is absent";
        Overdue = "overdue", "Overdue after a stop of the server";
        Rule = "rule", "Paused by a condition";
    }
}

words! {
    /// Why it cannot go on until something is mended.
    BlockReason ("block") {
        MissingAddress = "missing_address", "No address for this step";
        MissingField = "missing_field", "A merge field is empty";
        Mailbox = "mailbox", "No mailbox can send";
        StepFailed = "step_failed", "The step failed";
        DeliveryUnknown = "delivery_unknown", "It is not known whether the message was delivered";
    }
}

impl BlockReason {
    /// Does it go on by itself once mended (ENR-1), where the workspace lets it?
    pub fn mends_itself(self) -> bool {
        matches!(self, BlockReason::MissingAddress | BlockReason::MissingField | BlockReason::Mailbox)
    }
}

words! {
    /// Why no step is executed any more.
    Finish ("finish") {
        Completed = "completed", "Completed";
        Replied = "replied", "Replied";
        OptedOut = "opted_out", "Opted out";
        Bounced = "bounced", "Bounced";
        Stopped = "stopped", "Stopped by a person";
        Judged = "judged", "Ended by a person's answer";
        SequenceEnded = "sequence_ended", "The sequence ended";
        Rule = "rule", "Ended by a rule";
    }
}

words! {
    /// A person's word on how it stands (ENR-5).
    Mark ("mark") {
        Success = "success", "Success";
        NotInterested = "not_interested", "Not interested";
        OptedOut = "opted_out", "Unsubscribed";
        Bounced = "bounced", "Bounced";
    }
}

/// A set of holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Holds(u8);

impl Holds {
    pub const NONE: Holds = Holds(0);

    pub fn from_bits(bits: i64) -> Option<Holds> {
        u8::try_from(bits).ok().map(Holds)
    }
    pub fn bits(self) -> i64 {
        i64::from(self.0)
    }
    pub fn of(hold: Hold) -> Holds {
        Holds(1 << hold as u8)
    }
    #[must_use]
    pub fn with(self, hold: Hold) -> Holds {
        Holds(self.0 | Holds::of(hold).0)
    }
    #[must_use]
    pub fn without(self, hold: Hold) -> Holds {
        Holds(self.0 & !Holds::of(hold).0)
    }
    pub fn has(self, hold: Hold) -> bool {
        self.0 & Holds::of(hold).0 != 0
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// In the order shown.
    pub fn iter(self) -> impl Iterator<Item = Hold> {
        Hold::ALL.iter().copied().filter(move |h| self.has(*h))
    }
    /// The one shown.
    pub fn first(self) -> Option<Hold> {
        self.iter().next()
    }
}
