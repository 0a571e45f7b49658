//! Mistakes are named with their place, all of them at once; texts read back as written.

use super::*;
use proptest::prelude::*;

fn errors<T>(text: &str, reader: impl FnOnce(&Section<'_, '_>) -> Option<T>) -> Vec<String> {
    read(text, reader).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_named_at_once_with_its_place() {
    let text = "name = 5\ncoulor = \"red\"\n\n[[step]]\nkey = \"intro\"\nkind = \"cal\"\n  weight = -1\n\n[[step]]\nwhen = 1\n";
    let found = errors(text, |root| {
        let name = root.text("name");
        root.text("colour");
        for step in root.sections("step") {
            step.text("key");
            step.word("kind", &[("call", 1), ("task", 2)]);
            step.number("weight", 10);
            step.finish();
        }
        name
    });
    assert_eq!(
        found,
        [
            "1:8: name: expected a text in quotes, found a whole number",
            "2:1: coulor: there is no \"coulor\" here; did you mean \"colour\"?",
            "6:8: step.intro.kind: \"cal\" is not possible here: expected call or task; did you mean \"call\"?",
            "7:12: step.intro.weight: expected a whole number from 0 to 10, found -1",
            "10:1: step[2].when: there is no \"when\" here: expected key, kind or weight",
        ]
    );
}

#[test]
fn what_is_no_toml_says_where() {
    let found = errors("name = \"a\"\nkind = \n", |root| root.text("name"));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("2:") && found[0].contains("this is not TOML"), "{found:?}");
    let twice = errors("a = 1\na = 2\n", |_| Some(()));
    assert!(twice[0].starts_with("2:1: this is not TOML: duplicate key"), "{twice:?}");
}

#[test]
fn a_missing_key_is_named_where_its_table_begins() {
    let found = errors("x = 1\n[[step]]\nkind = \"call\"\n", |root| {
        root.number("x", 1);
        for step in root.sections("step") {
            step.text("kind");
            step.required("key", "a short name such as \"intro\"", step.text("key"));
            step.finish();
        }
        Some(())
    });
    assert_eq!(found, ["2:1: step[1]: key is missing: expected a short name such as \"intro\""]);
}

#[test]
fn columns_count_letters() {
    let found = errors("x = { \"ä\" = 1, \"ö\" = 2 }", |root| {
        let x = root.item("x")?.section()?;
        x.finish();
        Some(())
    });
    assert!(found[0].starts_with("1:7: x.ä") && found[1].starts_with("1:16: x.ö"), "{found:?}");
}

proptest! {
    #[test]
    fn any_text_reads_back_as_written(value in "([a-z \"'\\\\\n\r\t]|\\PC|\\pC){0,40}") {
        for written in [write::text(&value), write::one_line(&value)] {
            let document = format!("x = {written}\n");
            let back = read(&document, |root| root.text("x"));
            prop_assert_eq!(back.as_ref(), Ok(&value), "{}", document);
        }
    }
}
