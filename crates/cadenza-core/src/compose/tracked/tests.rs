//! What becomes of bodies: by example, and for HTML as bad as it comes.

use super::*;
use proptest::prelude::*;

const KEY: &[u8] = b"key";
const URL: &str = "https://go.example";

fn how(opens: bool, clicks: bool, unsubscribe: bool) -> TrackingFor<'static> {
    TrackingFor {
        public_url: URL,
        key: KEY,
        workspace: WorkspaceId(1),
        enrollment: EnrollmentId(2),
        visit: 3,
        tracks: Tracks { opens, clicks, unsubscribe },
        reads_at: None,
        postal_address: "Acme, Street 1\nBerlin",
        language: Language::English,
    }
}

fn of_html(html: &str, how: &TrackingFor<'_>) -> String {
    track(Body { text: "t".into(), html: Some(html.into()) }, how).html.unwrap()
}

/// The HTML with every signed click link put back to `[target]`.
fn read_back(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find("https://go.example/t/c/") {
        out.push_str(&rest[..at]);
        rest = &rest[at + 23..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).unwrap_or(rest.len());
        let token = Token::verify(&rest[..end], KEY).unwrap();
        assert_eq!((token.workspace, token.enrollment, token.visit), (WorkspaceId(1), EnrollmentId(2), 3));
        let Purpose::Click(target) = token.purpose else { panic!("{token:?}") };
        out.push_str(&format!("[{target}]"));
        rest = &rest[end..];
    }
    out + rest
}

/// What becomes of the link, with clicks alone tracked.
fn link(html: &str) -> String {
    read_back(&of_html(html, &how(false, true, false)))
}

#[test]
fn web_links_are_signed_and_nothing_else_changes() {
    let html = "<p>Hi <a class=x HREF='https://a.example/?p=1&amp;q=%20#f' >there</a> &amp; <A\nhref = http://b.example/x>b</A></p>";
    let want = "<p>Hi <a class=x HREF='[https://a.example/?p=1&q=%20#f]' >there</a> &amp; <A\nhref = [http://b.example/x]>b</A></p>";
    assert_eq!(link(html), want);
}

#[test]
fn other_links_stay_as_they_are() {
    for kept in [
        "<a href=\"mailto:a@b.example\">x</a>",
        "<a href=\"tel:+491\">x</a>",
        "<a href=\"#part\">x</a>",
        "<a href=\"/path\">x</a>",
        "<a href=\"//host.example/\">x</a>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\"data:text/html,x\">x</a>",
        "<a href=\"https://\">x</a>",
        "<a href=\"https:///x\">x</a>",
        "<a href=\"https://a.example/a b\">x</a>",
        "<a href=\"https://go.example/u/anything\">x</a>",
        "<a href=\"https://a.example/&copy\">x</a>",
        "<a href=\"https://a.example/&unknown;\">x</a>",
        "<a href=\"https://a.example/&#10;x\">x</a>",
        "<a href>x</a>",
        "<a name=x>x</a>",
        "<abbr href=\"https://a.example/\">x</abbr>",
        "<link href=\"https://a.example/\">",
        "</a href=\"https://a.example/\">",
    ] {
        assert_eq!(link(kept), kept);
    }
}

#[test]
fn text_that_looks_like_a_link_is_no_link() {
    for kept in [
        "<!-- <a href=\"https://a.example/\">x</a> -->",
        "<!doctype html \"<a href='https://a.example/'>\">".split_once('>').unwrap().0,
        "<script>\"<a href='https://a.example/'>\"</script>",
        "<STYLE>/*<a href='https://a.example/'>*/</sTyle >",
        "<textarea><a href='https://a.example/'></textareas></textarea>",
        "<p title=\"<a href='https://a.example/'>\">",
        "<a title='href=https://a.example/' data-href=https://b.example/>",
        "a < b <3 <> </> <a",
        "<a href=\"https://a.example/",
    ] {
        assert_eq!(link(kept), kept);
    }
    assert_eq!(link("<!--> <a href=https://a.example/>"), "<!--> <a href=[https://a.example/]>");
    assert_eq!(link("<!-- --!><a href=https://a.example/>"), "<!-- --!><a href=[https://a.example/]>");
    assert_eq!(link("<a/href='https://a.example/'href=x>"), "<a/href='[https://a.example/]'href=x>");
    assert_eq!(link("<a x=\">\" href=\" https://a.\nexample/ \">"), "<a x=\">\" href=\"[https://a.example/]\">");
    assert_eq!(link("<a href=https://a.example/?a&copy=1&b>"), "<a href=[https://a.example/?a&copy=1&b]>");
}

#[test]
fn the_pixel_and_the_footer_stand_where_the_body_ends() {
    let tracked = of_html("<html><body><p>x</p></body></html>", &how(true, false, true));
    let unsubscribe = how(true, true, true).unsubscribe_url();
    assert!(tracked.starts_with("<html><body><p>x</p><div "), "{tracked}");
    assert!(tracked.ends_with("</body></html>"), "{tracked}");
    assert!(tracked.contains("Acme, Street 1<br>\nBerlin<br>\n<a href=\"https://go.example/u/"), "{tracked}");
    assert!(
        tracked.contains(&format!("href=\"{unsubscribe}\"")) && tracked.contains("<img src=\"https://go.example/t/o/")
    );
    for (html, before) in [
        ("<p>x</p>", "<p>x</p>"),
        ("<p>x</p></html>", "<p>x</p>"),
        ("<p>x<!-- unfinished </body>", "<p>x"),
        ("<p>x<style>unfinished </body>", "<p>x"),
        ("<script>a<b</script>x", "<script>a<b</script>x"),
        ("<p>x</p><a href=\"y", "<p>x</p>"),
        ("<p>a</body> b</p></body>", "<p>a</body> b</p>"),
    ] {
        let tracked = of_html(html, &how(true, false, false));
        assert!(tracked.starts_with(&format!("{before}<img ")), "{tracked}");
    }
}

#[test]
fn what_the_message_says_itself_is_not_said_again() {
    let how = how(false, true, true);
    let url = how.unsubscribe_url();
    let body = Body {
        text: format!("Stop: {url}\nAcme, Street 1, Berlin"),
        html: Some(format!("<p>Acme, Street 1<br>Berlin <a href=\"{url}\">stop</a></p>")),
    };
    let tracked = track(body.clone(), &how);
    assert_eq!((tracked.text, tracked.html), (body.text, body.html));
}

#[test]
fn a_message_of_text_alone_gets_html_where_something_is_tracked() {
    let text = "Hi <Ada> & co,\n\n  see https://a.example/x_(1)?a=1&b=2. Or (http://b.example/).\nxhttps://c.example https://\n";
    let body = || Body { text: text.into(), html: None };
    let plain = track(body(), &how(false, false, true));
    assert_eq!(plain.html, None);
    let footer =
        format!("https://\n\nAcme, Street 1\nBerlin\nUnsubscribe: {}\n", how(false, false, true).unsubscribe_url());
    assert!(plain.text.ends_with(&footer), "{}", plain.text);
    let tracked = track(body(), &how(false, true, false));
    assert_eq!(tracked.text, text, "the text keeps its links and gets nothing");
    let html = read_back(&tracked.html.unwrap());
    let lines = "<p>Hi &lt;Ada&gt; &amp; co,</p>\n<p>&nbsp;&nbsp;see <a href=\"[https://a.example/x_(1)?a=1&b=2]\">\
                 https://a.example/x_(1)?a=1&amp;b=2</a>. Or (<a href=\"[http://b.example/]\">http://b.example/</a>).<br>\n\
                 xhttps://c.example https://</p>\n";
    assert!(html.contains(lines), "{html}");
    let without_link = Body { text: "Hi".into(), html: None };
    assert_eq!(track(without_link.clone(), &how(false, true, false)).html, None);
    assert!(track(without_link, &how(true, false, false)).html.unwrap().contains("<img "));
}

#[test]
fn a_message_of_html_alone_gets_text_with_its_own_links() {
    let body = Body { text: " ".into(), html: Some("<p>See <a href=\"https://a.example/\">this</a></p>".into()) };
    let tracked = track(body, &how(true, true, false));
    assert!(tracked.text.contains("https://a.example/") && !tracked.text.contains("/t/c/"), "{}", tracked.text);
}

#[test]
fn the_header_offers_one_click_over_https_and_a_mail_where_it_is_read() {
    let address: Address = "ada@sender.example".parse().unwrap();
    let all = TrackingFor { reads_at: Some(&address), ..how(false, false, true) };
    let body = || Body { text: "t".into(), html: None };
    let header = track(body(), &all).unsubscribe;
    assert_eq!(header.one_click.unwrap().to_string(), all.unsubscribe_url());
    let mailto = header.mailto.unwrap().as_str().to_owned();
    let token = mailto.strip_prefix("mailto:ada@sender.example?subject=unsubscribe%20").unwrap();
    assert_eq!(Token::verify(token, KEY).unwrap().purpose, Purpose::Unsubscribe);
    let over_http = TrackingFor { public_url: "http://go.example", ..all };
    assert_eq!(track(body(), &over_http).unsubscribe.one_click, None);
    assert_eq!(track(body(), &how(true, true, false)).unsubscribe, ListUnsubscribe::default());
}

#[test]
fn links_and_pictures_are_found_as_a_reader_sees_them() {
    let html = "<a href='https://a.example/?x=1&amp;y'>One &amp; <b>two</b></a><a name=n>no</a><img src=\"p.gif\">\
                <!-- <a href=x>no</a> --><a href=https://b.example/><img src=q.gif></a><A HREF=#c>three";
    let links: Vec<(String, String)> = links_of(html).into_iter().map(|l| (l.address, l.text)).collect();
    let want = [("https://a.example/?x=1&y", "One & two"), ("https://b.example/", ""), ("#c", "three")];
    assert_eq!(links.iter().map(|(a, t)| (a.as_str(), t.as_str())).collect::<Vec<_>>(), want);
    assert_eq!(images_of(html), ["p.gif", "q.gif"]);
}

#[test]
fn the_step_decides_before_the_sequence() {
    let sequence = Settings { track_clicks: false, ..Settings::default() };
    let step = Tracking { opens: Some(false), ..Tracking::default() };
    assert_eq!(Tracks::of(&step, &sequence), Tracks { opens: false, clicks: false, unsubscribe: true });
}

/// Pieces that HTML goes wrong with.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<a href=\"https://a.example/?x=1&amp;y=2\">".to_owned()),
        Just("<a href='".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("<script>".to_owned()),
        Just("</script>".to_owned()),
        Just("</body>".to_owned()),
        Just("href=https://b.example ".to_owned()),
        "[<>\"'=/!a ü&;-]{0,6}",
        ".{0,4}",
    ]
}

/// Without the spaces that addresses lose and with character references read, to compare what links lead to.
fn bare(html: &str) -> String {
    let html: String = html.chars().filter(|c| *c > ' ').collect();
    html.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

proptest! {
    #[test]
    fn any_html_keeps_everything_and_its_links_lead_where_they_did(pieces in proptest::collection::vec(piece(), 0..20)) {
        let html: String = pieces.concat();
        let tracked = of_html(&html, &how(false, true, false));
        prop_assert!(tracked == html || tracked.contains("https://go.example/t/c/"));
        prop_assert_eq!(bare(&read_back(&tracked).replace(['[', ']'], "")), bare(&html.replace(['[', ']'], "")));
    }

    #[test]
    fn any_text_becomes_html_that_shows_it(text in "[a-z<>&\"' .,()\n]{0,60}(https?://[a-z./?=&<]{0,20})?") {
        let html = from_text::html(&text);
        let (mut shown, mut inside) = (String::new(), false);
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' if inside => inside = false,
                c if !inside => shown.push(c),
                _ => {}
            }
        }
        prop_assert_eq!(bare(&shown.replace("&nbsp;", "")), bare(&text.replace('&', "&amp;")));
    }
}
