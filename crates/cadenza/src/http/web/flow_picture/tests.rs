//! The picture of a branched flow: what is on it, in which order, and that names cannot leave their text.

use super::*;
use crate::http::web::samples;

fn key(name: &str) -> Key {
    name.parse().unwrap()
}

#[test]
fn branches_are_columns_and_conditions_lead_across() {
    let flow = samples::flow();
    let layout = Layout::of(&flow, &Shown::default());
    let card = |name: &str| layout.cards.iter().find(|c| c.step.key == key(name)).unwrap();
    assert_eq!(card("intro").x, card("call").x, "one branch, one column");
    assert!(card("demo").x > card("intro").x + CARD_WIDTH);
    assert!(card("demo").y >= card("intro").y, "a branch begins beside what leads to it");
    let clicked = card("intro").lines.iter().find(|l| l.text.starts_with("Clicked")).unwrap();
    assert_eq!(clicked.text, "Clicked · 3 d");
    assert_eq!(clicked.target, Some(key("demo")));
    let interested = card("call").lines.iter().find(|l| l.text == "Interested").unwrap();
    assert_eq!(interested.end.as_ref().unwrap().text, "Ends: positive");
    for pair in layout.cards.windows(2).filter(|p| p[0].column == p[1].column) {
        assert!(pair[0].y + pair[0].height() < pair[1].y, "cards do not touch");
    }
}

#[test]
fn the_path_taken_and_the_place_are_marked() {
    let flow = samples::flow();
    let shown = Shown { path: vec![key("intro"), key("demo")], place: Some(key("after-demo")), ..Shown::default() };
    let layout = Layout::of(&flow, &shown);
    assert_eq!(layout.edges.iter().filter(|e| e.taken).count(), 2, "across by the click, then down");
    let svg = draw(&flow, &shown);
    assert_eq!(svg.matches("class=\"card passed\"").count(), 2);
    assert_eq!(svg.matches("class=\"card here\"").count(), 1);
    assert!(svg.contains(">Here<"));
}

#[test]
fn names_stay_text() {
    let mut flow = samples::flow();
    flow.branches[0].steps[0].content.name = "<script>alert(1)</script>".into();
    let svg = draw(&flow, &Shown { link: Some("/x?\"".into()), ..Shown::default() });
    assert!(!svg.contains("<script") && svg.contains("&lt;script"));
    assert!(svg.contains("href=\"/x?&quot;"));
}

#[test]
fn an_empty_flow_is_an_empty_picture() {
    let svg = draw(&Flow { version: 1, branches: Vec::new() }, &Shown::default());
    assert!(svg.starts_with("<svg") && !svg.contains("<g class"));
}
