//! Fresh text is cut where a quotation begins, whatever the mail program and language: the list in `fixtures/quotations.txt`.

use cadenza_core::inbound::reply_text::fresh_text;

const LIST: &str = include_str!("fixtures/quotations.txt");

fn beginnings() -> impl Iterator<Item = String> {
    LIST.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")).map(|l| l.replace('⏎', "\n"))
}

#[test]
fn the_answer_above_is_cut_from_every_quotation() {
    let mut wrong = Vec::new();
    let answer = "Hello Bob,\n\nwe can meet on Thursday: 10:00 suits me.\nIt was what Dan wrote.\n\nAnn";
    for beginning in beginnings() {
        for quoted in [
            "> Hello Ann,\n> do you still count stock by hand?",
            "Hello Ann,\n\ndo you still count stock by hand?\n\nBob",
        ] {
            let found = fresh_text(&format!("{answer}\n\n{beginning}\n\n{quoted}\n"));
            if found != answer {
                wrong.push(format!("{beginning}\n  → {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_answer_below_a_quotation_is_kept() {
    for beginning in beginnings().filter(|b| b.ends_with([':', '：']) && !b.starts_with('>')) {
        let found = fresh_text(&format!("{beginning}\n> do you still count stock by hand?\n\nOnly at year's end.\n"));
        assert_eq!(found, "Only at year's end.", "{beginning}");
    }
}

#[test]
fn what_merely_looks_like_a_quotation_stays() {
    let texts = [
        "On this day I wrote:\nnothing.",
        "As Dan wrote: we are fine.",
        "The list:\n- from: Berlin\n- to: Bonn",
        "From: now on we scan everything.",
        "Please note:\n\nDate: open\n\nRegards",
        "Call me on 6 July at 8:59, or write to ann@customer.example.",
        "a > b, and c < d",
        "We count:\n1. by hand\n2. by scanner",
    ];
    for text in texts {
        assert_eq!(fresh_text(text), text);
    }
}

#[test]
fn lines_of_mobile_programs_and_signatures_go() {
    let ends = [
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的iPhone",
        "나의 iPhone에서 보냄",
        "-- \nAnn Buyer\nCustomer Ltd",
        "--\nAnn Buyer",
        "________________________________\nThis mail is confidential.",
    ];
    for end in ends {
        assert_eq!(fresh_text(&format!("Yes, gladly.\n\n{end}\n")), "Yes, gladly.", "{end}");
    }
}
