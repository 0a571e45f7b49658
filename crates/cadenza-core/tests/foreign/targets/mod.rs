//! The targets of this crate: what reads mails, files, templates, pages, words, tokens and JSON. They use nothing but what the
//! crate makes public, since the fuzzer takes this folder as it stands.

mod files;
mod letters;
mod mails;
mod merging;
mod words;

use std::borrow::Cow;

cadenza_testkit::targets! {
    mail: mails::MAIL,
    sequence_file: files::SEQUENCE_FILE,
    reactions: files::REACTIONS_SCRIPT,
    person: files::PERSON,
    template: merging::TEMPLATE,
    page: merging::PAGE,
    letter: letters::LETTER,
    word: words::WORD,
    header: words::HEADER,
    token: words::TOKEN,
    json: words::JSON,
}

/// Readers of text are given text: what is no UTF-8 is refused before them.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn seeds(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
