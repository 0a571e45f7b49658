//! How the product's closed sets of words stand in the OpenAPI document: as strings with all that they can be.

use cadenza_core::enrollment::{BlockReason, Hold, Mark, SequenceState, State};
use cadenza_core::flow::StepKind;
use cadenza_core::suppression::Suppressible;
use cadenza_core::views::{PersonStatus, RecordStatus, Stage, StatusReason};
use cadenza_store::custom_fields::{FieldKind, FieldOf};
use cadenza_store::inbound_messages::{Class, MatchedBy, Source};
use cadenza_store::sequences::{Sharing, SubjectType};
use cadenza_store::suppression::Why;
use cadenza_store::templates::Source as TemplateSource;
use cadenza_store::users::UserState;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

macro_rules! words {
    ($($name:ident = $set:ty;)*) => {$(
        pub fn $name() -> Object {
            one_of(<$set>::ALL.iter().map(|w| w.as_str()))
        }
    )*};
}
words! {
    state = State;
    sequence_state = SequenceState;
    status_reason = StatusReason;
    record_status = RecordStatus;
    stage = Stage;
    person_status = PersonStatus;
    hold = Hold;
    block = BlockReason;
    mark = Mark;
    step_kind = StepKind;
    subject_type = SubjectType;
    sharing = Sharing;
    template_source = TemplateSource;
    suppressible = Suppressible;
    suppression_reason = Why;
    field_of = FieldOf;
    field_kind = FieldKind;
    message_class = Class;
    message_source = Source;
    matched_by = MatchedBy;
    user_state = UserState;
}

pub fn holds() -> Schema {
    ArrayBuilder::new().items(hold()).build().into()
}

/// As the others, or null.
pub fn nullable(object: Object) -> Object {
    let mut nullable = object;
    nullable.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
    if let Some(values) = &mut nullable.enum_values {
        values.push(serde_json::Value::Null);
    }
    nullable
}

pub fn nullable_status_reason() -> Object {
    nullable(status_reason())
}
pub fn nullable_record_status() -> Object {
    nullable(record_status())
}
pub fn nullable_block() -> Object {
    nullable(block())
}
pub fn nullable_mark() -> Object {
    nullable(mark())
}
pub fn nullable_matched_by() -> Object {
    nullable(matched_by())
}

fn one_of(words: impl Iterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}
