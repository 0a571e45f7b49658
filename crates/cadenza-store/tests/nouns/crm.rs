//! Workflows, opportunities, timelines, custom fields, saved views, files.

use crate::world::{World, at};
use cadenza_core::ids::{
    AttachmentId, ContactId, LogEntryId, OpportunityId, SequenceId, UserId, ViewId, WorkflowId, WorkflowStageId,
};
use cadenza_store::attachments::{self, Attachment};
use cadenza_store::contacts::Custom;
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use cadenza_store::log_entries::{self, LogEntry, Record};
use cadenza_store::opportunities::{self, Opportunity, OpportunityKind};
use cadenza_store::saved_views::{self, SavedView};
use cadenza_store::workflows::{self, StageType, Workflow, WorkflowStage};
use cadenza_store::{Rule, StoreError, page::After};
use serde_json::json;

fn stage(id: i64, name: &str, of: StageType) -> WorkflowStage {
    WorkflowStage { id: WorkflowStageId(id), name: name.into(), of, sequence: None }
}

fn hiring(world: &World) -> Workflow {
    let stages =
        vec![stage(1, "New", StageType::New), stage(2, "Call", StageType::Open), stage(3, "Hired", StageType::Won)];
    let workflow = Workflow { id: WorkflowId(9), name: "Hiring".into(), stages };
    world.write(|tx| workflows::save(tx, world.w, &workflow));
    workflow
}

fn job(id: i64, name: &str) -> Opportunity {
    Opportunity {
        id: OpportunityId(id),
        name: name.into(),
        kind: OpportunityKind::Job,
        company: None,
        owner: Some(UserId(10)),
        workflow: WorkflowId(9),
        custom: Custom::from_iter([("pay".to_owned(), 5.into())]),
        created_at: at(0),
        updated_at: at(0),
        closed_at: None,
        version: 1,
    }
}

pub fn a_workflow_is_written_as_a_whole(world: &World) {
    let mut workflow = hiring(world);
    assert_eq!(world.read(|q| workflows::all(q, world.w)), [workflow.clone()]);
    workflow.name = "Recruiting".into();
    // Two change names with each other, one goes, one comes.
    workflow.stages = vec![
        stage(2, "Hired", StageType::Won),
        stage(3, "Call", StageType::Open),
        WorkflowStage { sequence: Some(SequenceId(5)), ..stage(4, "Lost", StageType::Lost) },
    ];
    world.write(|tx| workflows::save(tx, world.w, &workflow));
    assert_eq!(world.read(|q| workflows::get(q, world.w, workflow.id)), workflow);
    let linked = WorkflowStage { sequence: Some(SequenceId(5)), ..stage(1, "New", StageType::New) };
    let wrong = Workflow { stages: vec![linked], ..workflow.clone() };
    let error = world.refused(|tx| workflows::save(tx, world.w, &wrong));
    assert!(matches!(error, StoreError::Violation { rule: Rule::Check, .. }), "{error}");
    let other = Workflow { id: WorkflowId(10), stages: vec![], ..workflow.clone() };
    assert!(world.refused(|tx| workflows::save(tx, world.w, &other)).is_conflict_on("workflow_name"));
    world.write(|tx| opportunities::create(tx, world.w, &job(1, "Cook")));
    let error = world.refused(|tx| workflows::delete(tx, world.w, workflow.id));
    assert!(matches!(error, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{error}");
    world.write(|tx| opportunities::delete(tx, world.w, OpportunityId(1)));
    world.write(|tx| workflows::delete(tx, world.w, workflow.id));
    assert_eq!(world.read(|q| workflows::all(q, world.w)), []);
}

pub fn contacts_move_through_the_stages_of_an_opportunity(world: &World) {
    hiring(world);
    let mut made = job(1, "Cook");
    world.write(|tx| opportunities::create(tx, world.w, &made));
    let (anna, bert) = (world.contact("Anna", "").id, world.contact("Bert", "").id);
    let put = |stage, contacts: &[ContactId], time| {
        world.write(|tx| {
            opportunities::put(tx, world.w, made.id, WorkflowStageId(stage), contacts, Some(world.user), at(time))
        })
    };
    assert_eq!(put(1, &[bert, anna], 1), [anna, bert]);
    assert_eq!(put(2, &[anna], 2), [anna]);
    assert_eq!(put(2, &[anna, bert], 3), [bert], "only who comes anew");
    let candidates = world.read(|q| opportunities::candidates(q, world.w, made.id));
    assert_eq!(
        candidates.iter().map(|c| (c.contact, c.stage.0, c.since)).collect::<Vec<_>>(),
        [(anna, 2, at(2)), (bert, 2, at(3))]
    );
    assert_eq!(world.read(|q| opportunities::of_contact(q, world.w, anna)), [(made.clone(), WorkflowStageId(2))]);
    let nobody =
        world.refused(|tx| opportunities::put(tx, world.w, made.id, WorkflowStageId(1), &[ContactId(1)], None, at(0)));
    assert!(matches!(nobody, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{nobody}");
    let mut workflow = world.read(|q| workflows::get(q, world.w, WorkflowId(9)));
    workflow.stages.remove(1);
    let error = world.refused(|tx| workflows::save(tx, world.w, &workflow));
    assert!(matches!(error, StoreError::Violation { rule: Rule::ForeignKey, .. }), "contacts are in it: {error}");
    assert_eq!(world.write(|tx| opportunities::take_out(tx, world.w, made.id, &[anna, ContactId(1)])), 1);
    made.closed_at = Some(at(9));
    made.name = "Chef".into();
    world.write(|tx| opportunities::update(tx, world.w, &made, at(9)));
    made.version = 2;
    made.updated_at = at(9);
    assert_eq!(world.read(|q| opportunities::get(q, world.w, made.id)), made);
}

pub fn opportunities_are_found_by_the_beginning_of_their_names(world: &World) {
    hiring(world);
    for (id, name) in [(1, "Chef"), (2, "Cook"), (3, "Cook"), (4, "Waiter")] {
        world.write(|tx| opportunities::create(tx, world.w, &job(id, name)));
    }
    let search = |typed: &str, owner, after: Option<&After<String>>| {
        world.read(|q| opportunities::search(q, world.w, typed, owner, after, 2))
    };
    let numbers =
        |page: &cadenza_store::page::Page<Opportunity, String>| page.rows.iter().map(|o| o.id.0).collect::<Vec<_>>();
    let first = search("", None, None);
    assert_eq!(numbers(&first), [1, 2]);
    assert_eq!(numbers(&search("", None, first.next.as_ref())), [3, 4]);
    assert_eq!(numbers(&search("COO", Some(UserId(10)), None)), [2, 3]);
    assert_eq!(numbers(&search("coo", Some(UserId(11)), None)), Vec::<i64>::new());
}

pub fn a_timeline_is_read_newest_first(world: &World) {
    let anna = world.contact("Anna", "").id;
    let entry = |n: i64, kind: &str, time| LogEntry {
        id: LogEntryId(n),
        kind: kind.into(),
        at: at(time),
        user: Some(world.user),
        contact: Some(anna),
        company: None,
        opportunity: None,
        activity: None,
        body: format!("Line {n}"),
        detail: Some(json!({ "result": "reached" })),
    };
    let entries = [entry(1, "note", 5), entry(2, "call", 5), entry(3, "note", 1)];
    world.write(|tx| entries.iter().try_for_each(|e| log_entries::add(tx, world.w, e)));
    let of = |kind, before| {
        let lines = world.read(|q| log_entries::of_record(q, world.w, Record::Contact(anna), kind, before, 2));
        lines.iter().map(|e| e.id.0).collect::<Vec<_>>()
    };
    assert_eq!(of(None, None), [2, 1]);
    assert_eq!(of(None, Some((at(5), LogEntryId(1)))), [3]);
    assert_eq!(of(Some("note"), None), [1, 3]);
    let mut changed = entry(1, "meeting", 7);
    changed.body = "We met.".into();
    world.write(|tx| log_entries::update(tx, world.w, &changed));
    assert_eq!(world.read(|q| log_entries::get(q, world.w, changed.id)), changed);
    world.write(|tx| log_entries::delete(tx, world.w, changed.id));
    assert_eq!(of(None, None), [2, 3]);
    let nowhere = LogEntry { contact: None, ..entry(9, "note", 0) };
    let error = world.refused(|tx| log_entries::add(tx, world.w, &nowhere));
    assert!(matches!(error, StoreError::Violation { rule: Rule::Check, .. }), "{error}");
}

pub fn custom_fields_and_views_are_kept(world: &World) {
    let mut field = CustomField {
        of: FieldOf::Contact,
        name: "plan".into(),
        label: "Plan".into(),
        kind: FieldKind::Choice,
        choices: vec!["gold".into(), "silver".into()],
        position: 1,
    };
    world.write(|tx| custom_fields::save(tx, world.w, &field));
    field.label = "Contract".into();
    world.write(|tx| custom_fields::save(tx, world.w, &field));
    assert_eq!(world.read(|q| custom_fields::all(q, world.w, FieldOf::Contact)), [field]);
    assert_eq!(world.read(|q| custom_fields::all(q, world.w, FieldOf::Company)), []);
    world.write(|tx| custom_fields::delete(tx, world.w, FieldOf::Contact, "plan"));

    let view = SavedView {
        id: ViewId(1),
        owner: world.user,
        page: "contacts".into(),
        name: "Mine".into(),
        filter: "owner=me".into(),
        shared: false,
    };
    assert_eq!(world.write(|tx| saved_views::save(tx, world.w, &view)), ViewId(1));
    let again = SavedView { id: ViewId(2), filter: "owner=me&q=x".into(), shared: true, ..view };
    assert_eq!(world.write(|tx| saved_views::save(tx, world.w, &again)), ViewId(1), "it keeps its id");
    let seen = world.read(|q| saved_views::seen_by(q, world.w, UserId(77), "contacts"));
    assert_eq!(seen, [SavedView { id: ViewId(1), ..again }]);
    let error = world.refused(|tx| saved_views::delete(tx, world.w, UserId(77), ViewId(1)));
    assert!(matches!(error, StoreError::Missing { .. }), "not theirs: {error}");
    world.write(|tx| saved_views::delete(tx, world.w, world.user, ViewId(1)));
}

pub fn a_file_keeps_its_bytes(world: &World) {
    let anna = world.contact("Anna", "").id;
    let file = Attachment {
        id: AttachmentId(1),
        name: "cv.pdf".into(),
        media_type: "application/pdf".into(),
        size: 4,
        created_by: Some(world.user),
        created_at: at(0),
    };
    let of = Some(Record::Contact(anna));
    world.write(|tx| attachments::add(tx, world.w, &file, of, &[0, 1, 254, 255]));
    assert_eq!(world.read(|q| attachments::get(q, world.w, file.id)), (file.clone(), vec![0, 1, 254, 255]));
    assert_eq!(world.read(|q| attachments::of_record(q, world.w, Record::Contact(anna))), std::slice::from_ref(&file));
    assert!(matches!(world.db.read(|q| attachments::get(q, world.other, file.id)), Err(StoreError::Missing { .. })));
    world.write(|tx| attachments::delete(tx, world.w, file.id));
    assert_eq!(world.read(|q| attachments::of_record(q, world.w, Record::Contact(anna))), []);
}
