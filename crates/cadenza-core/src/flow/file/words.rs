//! The words that stand for choices in a file, each in one list that reads and writes.

use super::Form;
use crate::flow::{AddressKind, Priority, Regarding, StepKind};
use crate::merge::Of;
use crate::settings::{
    BlockedGoesOn, Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OwnMail, Per, ResumeAfter,
    StructuralEdits, ZoneOf,
};

/// A choice among words.
pub(super) trait Words: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

macro_rules! words {
    ($($kind:ident { $($word:literal = $value:ident),* $(,)? })*) => {$(
        impl Words for $kind {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $kind::$value)),*];
        }
        // A choice that no word stands for does not compile.
        const _: fn($kind) = |value| match value { $($kind::$value => ()),* };
    )*};
}

words! {
    Of { "contacts" = Contacts, "companies" = Companies }
    Form { "sequence" = Sequence, "template" = Template, "template_for_list" = TemplateForList }
    Priority { "high" = High, "normal" = Normal, "low" = Low }
    AddressKind { "any" = Any, "work" = Work, "personal" = Personal, "other" = Other }
    Regarding { "nothing" = Nothing, "opportunity" = Opportunity }
    StepKind {
        "email_auto" = EmailAuto, "email_manual" = EmailManual, "call" = Call, "sms_auto" = SmsAuto,
        "sms_manual" = SmsManual, "linkedin" = Linkedin, "task" = Task,
    }
    ZoneOf { "sequence" = Sequence, "contact" = Contact }
    OnReply { "stop" = Stop, "pause" = Pause, "go_on" = GoOn }
    OnElsewhere { "nothing" = Nothing, "pause" = Pause, "stop" = Stop, "ask" = Ask }
    ResumeAfter { "by_hand" = ByHand, "return" = Return }
    OwnMail { "nothing" = Nothing, "end" = End }
    Meeting { "nothing" = Nothing, "end_positive" = EndPositive }
    OptOutEnds { "all_sequences" = AllSequences, "this_sequence" = ThisSequence }
    OptOutSuppresses { "address" = Address, "address_other_channels_go_on" = AddressOtherChannelsGoOn }
    BlockedGoesOn { "by_itself" = ByItself, "by_retry" = ByRetry }
    StructuralEdits { "when_paused" = WhenPaused, "never" = Never }
    Per { "minute" = Minute, "hour" = Hour, "day" = Day }
}
