//! Requests to every operation of the API and every page, by somebody who may do everything: whatever is asked, the answer is no
//! failure of the server's.

use super::{seeds, world};
use cadenza_testkit::Target;
use serde_json::Value;

pub const REQUEST: Target =
    Target { name: "", seeds: requests, pieces: PIECES, judge: request, cases: 500, most_ms: 500 };

/// Requests after which the world is made anew, since they leave something behind.
const ASKED_MAX: usize = 100;

/// A line with method and path, lines of headers, an empty line, the body. `{contact}` and the like are filled in.
const PAGES: &[&str] = &[
    "GET /?q=a&after=x\n\n",
    "GET /contacts?q=ada&after=WyJ4Iiw3XQ&list=x&state=active\nAccept-Language: de, en;q=0.5\n\n",
    "GET /contacts/{contact}\n\n",
    "GET /enrollments/{enrollment}\n\n",
    "GET /sequences?state=active\n\n",
    "GET /sequences/{sequence}\nAccept: text/html\n\n",
    "GET /tasks?day=2027-03-01&kind=call&task={task}\n\n",
    "GET /queue?date=2027-03-01\n\n",
    "GET /settings/workspace\n\n",
    "GET /t/o/AAAA\nX-Forwarded-For: 192.0.2.1, ::1\nUser-Agent: Mozilla/5.0\n\n",
    "POST /u/AAAA\n\nList-Unsubscribe=One-Click",
    "POST /settings/workspace\nContent-Type: application/x-www-form-urlencoded\n\nzone=UTC&window.days=mon&window.start=09:00&\
     window.stop=17:00&email_rate=200&email_rate_per=day",
    "POST /settings/workspace/identity\nContent-Type: application/x-www-form-urlencoded\n\nname=Northwind&postal_address=x",
    "POST /contacts\nContent-Type: application/x-www-form-urlencoded\n\nfirst_name=A&emails.kind=work&emails=a%40example.org",
    "POST /contacts/import\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; \
     name=\"file\"; filename=\"a.csv\"\r\n\r\nemail\na@example.org\n\r\n--b--\r\n",
    "POST /sequences\nContent-Type: application/x-www-form-urlencoded\n\nname=New&file=name%20%3D%20%22a%22",
    "POST /tasks/{task}/mark\nContent-Type: application/x-www-form-urlencoded\n\noutcome=interested&note=x",
    "POST /sign-in\nContent-Type: application/x-www-form-urlencoded\n\naddress=ada%40northwind.example&password=x",
    "POST /api/v1/inbound\nContent-Type: message/rfc822\n\nFrom: a@example.org\nMessage-ID: <1@example.org>\n\nNo, thanks.\n",
    "POST /api/v1/contacts/import?run=dry\nContent-Type: text/csv\n\nemail,first_name\na@example.org,A\n",
];
const PIECES: &[&str] = &[
    "GET ",
    "POST ",
    "PATCH ",
    "PUT ",
    "DELETE ",
    "/api/v1/",
    "{contact}",
    "{sequence}",
    "{enrollment}",
    "{task}",
    "{user}",
    "?limit=",
    "&after=",
    "WyJ4Iiw3XQ",
    "&q=",
    "%00",
    "%ff",
    "%2F",
    "%25",
    "_",
    "\n\n",
    "null",
    "[]",
    "{}",
    "\"\"",
    "\":",
    "true",
    "-1",
    "1e400",
    "9223372036854775808",
    "2027-03-01T10:00:00Z",
    "-009999-01-01T00:00:00Z",
    "9999-12-31",
    "\\u0000",
    "\\ud800",
    "Content-Type: application/json\n",
    "If-None-Match: *\n",
    "Idempotency-Key: a\n",
    "Range: bytes=0-\n",
    "Accept-Encoding: gzip\n",
    "mon",
    "24:00",
    "Europe/Berlin",
    "contact.",
    "custom.",
    "{{ contact.first_name }}",
];

/// Every operation with its own example, and the pages.
fn requests() -> Vec<Vec<u8>> {
    let document = serde_json::to_value(cadenza::http::api::document()).unwrap();
    let mut found = seeds(PAGES);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let example = example(&document, schema).map(Value::to_string).unwrap_or_default();
            let kind = if example.is_empty() { "" } else { "Content-Type: application/json\n" };
            found.push(format!("{} {path}\n{kind}\n{example}", method.to_uppercase()).into_bytes());
        }
    }
    found
}

fn example<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let own = schema.get("example").or_else(|| schema.get("examples").and_then(|all| all.get(0)));
    own.or_else(|| {
        let to = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        example(document, document.pointer(to)?)
    })
}

fn request(bytes: &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
    // These would look for a mail server, who knows where.
    if path.contains("mailbox") && method != "GET" {
        return;
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let stale = |world: &world::World| world.asked >= ASKED_MAX;
    world::with(stale, |world| {
        let (mut path, mut body) = (path.to_owned(), body.to_vec());
        for (name, value) in &world.known {
            path = path.replace(&format!("{{{name}}}"), value);
            if let Ok(text) = std::str::from_utf8(&body) {
                body = text.replace(&format!("{{{name}}}"), value).into_bytes();
            }
        }
        let Some((status, said)) = world.ask(method, &path, &headers, body) else { return };
        let told = String::from_utf8_lossy(&said[..said.len().min(2_000)]).into_owned();
        assert!(!status.is_server_error(), "{method} {path} after {} others: {status} {told}", world.asked - 1);
    });
}
