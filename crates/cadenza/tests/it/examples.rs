//! The examples are what a newcomer tries first: each is read as the product reads it.

use cadenza_core::calendar::Zone;
use std::collections::BTreeSet;

const CONTACTS: &str = include_str!("../../../../examples/contacts.csv");

#[test]
fn the_example_contacts_are_a_thousand_people_in_twelve_zones() {
    let mut reader = csv::Reader::from_reader(CONTACTS.as_bytes());
    let column = |name: &str, headers: &csv::StringRecord| headers.iter().position(|header| header == name).unwrap();
    let headers = reader.headers().unwrap().clone();
    let [email, kind, zone, company] =
        ["email", "email_type", "time_zone", "company"].map(|name| column(name, &headers));
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let distinct = |column: usize| rows.iter().map(|row| row[column].to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(rows.len(), 1_000);
    assert_eq!(distinct(email).len(), 1_000, "an address stands twice");
    assert_eq!(distinct(kind), BTreeSet::from(["personal".to_owned(), "work".to_owned()]));
    assert_eq!(distinct(company).len(), 150);
    let zones = distinct(zone);
    assert_eq!(zones.len(), 12);
    for zone in zones {
        zone.parse::<Zone>().unwrap_or_else(|error| panic!("{zone}: {error}"));
    }
}
