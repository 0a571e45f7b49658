//! The values that go into statements: one at a time (`Val`) and in bulk (`Columns`). There are three kinds and no more;
//! times are integers (microseconds), flags are 0 and 1, JSON is text.

use cadenza_core::ids;
use cadenza_core::time::Time;
use std::borrow::Cow;

/// What a value can be. The names are those of `rows(name KIND)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Int,
    Text,
    Blob,
}

/// One value of a statement or of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Val {
    /// NULL whose kind the statement has to tell. Prefer `None::<i64>.into()`, which tells it.
    Null,
    /// NULL of a known kind; `Option` makes these.
    NullOf(Kind),
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Val {
    pub fn is_null(&self) -> bool {
        matches!(self, Val::Null | Val::NullOf(_))
    }
    /// None where only the statement can tell.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Val::Null => None,
            Val::NullOf(kind) => Some(*kind),
            Val::Int(_) => Some(Kind::Int),
            Val::Text(_) => Some(Kind::Text),
            Val::Blob(_) => Some(Kind::Blob),
        }
    }
    pub(crate) fn found(&self) -> &'static str {
        match self {
            Val::Null | Val::NullOf(_) => "NULL",
            Val::Int(_) => "an integer",
            Val::Text(_) => "a text",
            Val::Blob(_) => "bytes",
        }
    }
}

/// What is stored as an integer: numbers, flags (0 and 1), moments (microseconds) and ids.
pub trait Number: Copy {
    fn number(self) -> i64;
}

macro_rules! numbers {
    ($($t:ty),*: |$v:ident| $e:expr) => {$(
        impl Number for $t {
            fn number(self) -> i64 {
                let $v = self;
                $e
            }
        }
    )*};
}
numbers!(bool, u8, u16, i32, u32: |v| i64::from(v));
numbers!(i64: |v| v);
numbers!(Time: |v| v.micros());
numbers!(
    ids::WorkspaceId, ids::UserId, ids::TeamId, ids::SessionId, ids::TokenId, ids::ContactId, ids::CompanyId,
    ids::OpportunityId, ids::ListId, ids::TemplateId, ids::SequenceId, ids::BranchId, ids::StepId, ids::EnrollmentId,
    ids::MailboxId, ids::EventId, ids::SendId, ids::MessageId, ids::AttachmentId, ids::LogEntryId, ids::TaskId,
    ids::JobId, ids::MessageTemplateId, ids::WorkflowId, ids::WorkflowStageId, ids::AbsenceId, ids::AnswerId, ids::WebhookId,
    ids::DeliveryId, ids::ViewId, ids::AuditId, ids::SandboxMessageId: |v| v.0
);

impl<T: Number> From<T> for Val {
    fn from(v: T) -> Val {
        Val::Int(v.number())
    }
}
impl<T: Number> From<Option<T>> for Val {
    fn from(v: Option<T>) -> Val {
        v.map_or(Val::NullOf(Kind::Int), |v| Val::Int(v.number()))
    }
}

macro_rules! values {
    ($($t:ty => $kind:ident;)*) => {$(
        impl From<$t> for Val {
            fn from(v: $t) -> Val {
                Val::$kind(v.into())
            }
        }
        impl From<Option<$t>> for Val {
            fn from(v: Option<$t>) -> Val {
                v.map_or(Val::NullOf(Kind::$kind), |v| Val::$kind(v.into()))
            }
        }
    )*};
}
values! {
    &str => Text;
    String => Text;
    &String => Text;
    &[u8] => Blob;
    Vec<u8> => Blob;
}

/// Parameters of a bulk statement, column by column, in the order of `rows(…)`; every column has the same length.
///
/// ```
/// # use cadenza_store::Columns;
/// let columns = Columns::new().ints([1_i64, 2]).opt_texts([Some("a"), None]);
/// assert_eq!(columns.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns<'a> {
    pub(crate) list: Vec<Column<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column<'a> {
    Ints(Vec<i64>),
    OptInts(Vec<Option<i64>>),
    Texts(Vec<Cow<'a, str>>),
    OptTexts(Vec<Option<Cow<'a, str>>>),
    Blobs(Vec<Vec<u8>>),
    OptBlobs(Vec<Option<Vec<u8>>>),
}

impl<'a> Columns<'a> {
    pub fn new() -> Columns<'a> {
        Columns::default()
    }
    pub fn ints<N: Number>(self, values: impl IntoIterator<Item = N>) -> Columns<'a> {
        self.with(Column::Ints(values.into_iter().map(Number::number).collect()))
    }
    pub fn opt_ints<N: Number>(self, values: impl IntoIterator<Item = Option<N>>) -> Columns<'a> {
        self.with(Column::OptInts(values.into_iter().map(|v| v.map(Number::number)).collect()))
    }
    pub fn texts<S: Into<Cow<'a, str>>>(self, values: impl IntoIterator<Item = S>) -> Columns<'a> {
        self.with(Column::Texts(values.into_iter().map(Into::into).collect()))
    }
    pub fn opt_texts<S: Into<Cow<'a, str>>>(self, values: impl IntoIterator<Item = Option<S>>) -> Columns<'a> {
        self.with(Column::OptTexts(values.into_iter().map(|v| v.map(Into::into)).collect()))
    }
    pub fn blobs<B: Into<Vec<u8>>>(self, values: impl IntoIterator<Item = B>) -> Columns<'a> {
        self.with(Column::Blobs(values.into_iter().map(Into::into).collect()))
    }
    pub fn opt_blobs<B: Into<Vec<u8>>>(self, values: impl IntoIterator<Item = Option<B>>) -> Columns<'a> {
        self.with(Column::OptBlobs(values.into_iter().map(|v| v.map(Into::into)).collect()))
    }
    /// The number of rows; that of the first column where they differ, which the statement then refuses.
    pub fn len(&self) -> usize {
        self.list.first().map_or(0, Column::len)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn with(mut self, column: Column<'a>) -> Columns<'a> {
        self.list.push(column);
        self
    }
}

impl Column<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Column::Ints(v) => v.len(),
            Column::OptInts(v) => v.len(),
            Column::Texts(v) => v.len(),
            Column::OptTexts(v) => v.len(),
            Column::Blobs(v) => v.len(),
            Column::OptBlobs(v) => v.len(),
        }
    }
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Column::Ints(_) | Column::OptInts(_) => Kind::Int,
            Column::Texts(_) | Column::OptTexts(_) => Kind::Text,
            Column::Blobs(_) | Column::OptBlobs(_) => Kind::Blob,
        }
    }
    /// Whether a text holds U+0000, which PostgreSQL cannot store.
    pub(crate) fn has_nul(&self) -> bool {
        match self {
            Column::Texts(v) => v.iter().any(|t| has_nul(t)),
            Column::OptTexts(v) => v.iter().flatten().any(|t| has_nul(t)),
            _ => false,
        }
    }
}

pub(crate) fn has_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}
