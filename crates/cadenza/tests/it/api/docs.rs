//! The examples of `docs/api.md`, done as they stand there.

use super::program::Program;
use super::specimens::specimens;
use crate::house::{House, on_both};

const DOCS: &str = include_str!("../../../../../docs/api.md");

on_both! { the_examples_of_the_documentation_work }

async fn the_examples_of_the_documentation_work(house: &House) {
    let program = Program::new(house).await;
    let template = specimens(house, &house.caller).await["template"].clone();
    let mut tried = 0;
    for block in DOCS.split("```sh\n").skip(1) {
        let command = block.split("```").next().unwrap().replace("\\\n", " ").replace("$TEMPLATE", &template);
        let (mut method, mut body, mut path, mut headers) = ("GET".to_owned(), None, None, Vec::new());
        let mut file = None;
        let mut words = words(&command).into_iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-X" => method = words.next().unwrap(),
                "-d" => body = Some(serde_json::from_str(&words.next().unwrap()).unwrap()),
                "-H" => headers.push(words.next().unwrap()),
                // From standard input, which the file's name follows at the end.
                "--data-binary" => assert_eq!(words.next().unwrap(), "@-"),
                "<" => file = Some(file_of_the_page(&words.next().unwrap())),
                address => path = Some(address.strip_prefix("$URL/api/v1").unwrap().to_owned()),
            }
        }
        assert_eq!(headers.remove(0), "Authorization: Bearer $TOKEN");
        let headers: Vec<(&str, &str)> = headers.iter().map(|h| h.split_once(": ").unwrap()).collect();
        let bytes = file.or(body.map(|json: serde_json::Value| json.to_string())).unwrap_or_default();
        let answer = program.send_bytes(&method, &path.unwrap(), &headers, bytes.into_bytes()).await;
        assert!(answer.status.is_success(), "{command}\n{:#}", answer.json);
        tried += 1;
    }
    assert_eq!(tried, 8);
}

/// What stands on the page in place of a file: `reply.eml` is the block of kind `eml`.
fn file_of_the_page(name: &str) -> String {
    let (_, kind) = name.rsplit_once('.').unwrap();
    let (_, rest) = DOCS.split_once(&format!("```{kind}\n")).unwrap_or_else(|| panic!("no block for {name}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// A command line in words, as a shell takes it apart.
fn words(line: &str) -> Vec<String> {
    let (mut found, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.trim().chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            (_, c) => word.push(c),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}
