//! Holidays as a person writes them in TOML or JSON: a list whose entries are a date alone, or a date with a name.

use super::text::TOML_DATETIME;
use super::{HolidayDate, Holidays};
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

impl Serialize for Holidays {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(|(date, name)| match name {
            None => Written::Date(date),
            Some(name) => Written::Named { date, name },
        }))
    }
}
impl<'de> Deserialize<'de> for Holidays {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Holidays, D::Error> {
        let list = Vec::<Read>::deserialize(d)?;
        Ok(list.into_iter().map(|Read { date, name }| (date, name)).collect())
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Date(HolidayDate),
    Named { date: HolidayDate, name: &'a str },
}

struct Read {
    date: HolidayDate,
    name: Option<String>,
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Read, D::Error> {
        // Not serde's untagged enum: that would answer every mistake with "did not match any variant".
        d.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a holiday: a date such as \"12-25\", or { date = \"2027-03-26\", name = \"Good Friday\" }")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Read, E> {
        let date = HolidayDate::deserialize(text.into_deserializer())?;
        Ok(Read { date, name: None })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let (mut date, mut name) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // A date of TOML's own that stands in the list by itself.
                "date" | TOML_DATETIME => date = Some(map.next_value()?),
                "name" => name = map.next_value::<Option<String>>()?.filter(|name| !name.trim().is_empty()),
                other => return Err(de::Error::unknown_field(other, &["date", "name"])),
            }
        }
        Ok(Read { date: date.ok_or_else(|| de::Error::missing_field("date"))?, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Form {
        holidays: Holidays,
    }

    #[test]
    fn toml_as_a_person_writes_it() {
        let lists = [
            r#"holidays = ["12-25", { date = "2027-03-26", name = "Good Friday" }]"#,
            r#"holidays = ["12-25", { date = 2027-03-26, name = "Good Friday" }]"#,
            "[[holidays]]\ndate = \"12-25\"\n[[holidays]]\ndate = 2027-03-26\nname = \"Good Friday\"",
        ];
        for toml in lists {
            let set = toml::from_str::<Form>(toml).unwrap().holidays;
            assert_eq!(set.len(), 2, "{toml}");
            assert_eq!(set.on("2027-03-26".parse().unwrap()).as_deref(), Some("Good Friday"));
            assert!(set.contains("2030-12-25".parse().unwrap()));
        }
        let bare = toml::from_str::<Form>("holidays = [2027-03-26]").unwrap().holidays;
        assert!(bare.contains("2027-03-26".parse().unwrap()));
    }

    #[test]
    fn json_reads_back_as_written() {
        let json = r#"["2027-03-29",{"date":"2027-12-27","name":"Works holiday"},{"date":"12-25","name":"Christmas"}]"#;
        let set: Holidays = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), json);
    }

    #[test]
    fn a_mistake_is_named_where_it_stands() {
        let error = |json: &str| serde_json::from_str::<Holidays>(json).unwrap_err().to_string();
        assert!(error(r#"["25.12."]"#).contains("\"25.12.\" is not a holiday: expected a date such as"));
        assert!(error(r#"[{"date":"02-30"}]"#).contains("\"02-30\" is not a holiday"));
        assert!(error(r#"[{"day":"12-25"}]"#).contains("unknown field `day`, expected `date` or `name`"));
        assert!(error(r#"[{"name":"Christmas"}]"#).contains("missing field `date`"));
        assert!(error("[25]").contains("expected a holiday: a date such as"));
    }
}
