//! The targets of the server (docs/fuzzing.md): what mail servers answer by SMTP and IMAP, what a body becomes on the wire, CSV, the links of mails,
//! requests. They use nothing but what the crates make public, since the fuzzer of `fuzz/` takes this folder as it stands.

mod csv;
mod imap;
mod links;
mod requests;
mod smtp;
mod world;

cadenza_testkit::targets! {
    imap_answers: imap::ANSWERS,
    smtp_answers: smtp::ANSWERS,
    smtp_body: smtp::BODY,
    csv: csv::CSV,
    link: links::LINK,
    request: requests::REQUEST,
}

fn seeds(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
