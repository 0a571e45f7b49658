//! Fields of forms as values: each with its label, unit, help and default beside it, what was typed and what was wrong with it
//! (NAV-2). And what a browser posts, read by field.

use super::lists::Choice;
use super::parts::Escaped;
use crate::actions::{ActionError, Fault};
use askama::Template;
use cadenza_core::calendar::Weekday;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "part/field.html")]
pub struct Field {
    /// As it is posted and as faults name it.
    pub name: String,
    pub label: String,
    pub help: String,
    /// Behind the control: "days", "per cent".
    pub unit: &'static str,
    /// In words; empty for none.
    pub default: String,
    pub required: bool,
    pub input: Input,
    pub value: String,
    /// What is wrong with it; empty for nothing.
    pub fault: String,
    /// What the browser may fill in by itself.
    pub autocomplete: &'static str,
    /// A change of it changes what else is asked: the form is sent at once, to be shown anew.
    pub asks_anew: bool,
}

/// How a field is typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    #[default]
    Text,
    Email,
    /// Never shown again once typed.
    Password,
    Number,
    Time,
    /// Day and time, in the viewer's zone: see `Watch::typed`.
    Moment,
    /// Several lines.
    Area,
    Check,
    Choice(Vec<Choice>),
    /// Any of them: `usr_1,usr_2`.
    Several(Vec<Choice>),
    /// Of the week: `mon,tue`.
    Days,
    /// A number and what it is counted per: `200/day`; empty for no limit.
    Rate,
    /// The name of a time zone.
    Zone,
    /// An address or number of a kind: `work/ada@example.com`; with the type of the control that takes it.
    Address(&'static str),
}

impl Input {
    pub fn choices(pairs: &[(&str, &str)]) -> Input {
        Input::Choice(pairs.iter().map(|(value, label)| Choice::new(*value, *label)).collect())
    }
}

impl Field {
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Field {
        Field { name: name.into(), label: label.into(), ..Field::default() }
    }
    #[must_use]
    pub fn of(mut self, input: Input) -> Field {
        self.input = input;
        self
    }
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Field {
        self.help = help.into();
        self
    }
    #[must_use]
    pub fn unit(mut self, unit: &'static str) -> Field {
        self.unit = unit;
        self
    }
    #[must_use]
    pub fn usual(mut self, default: impl Into<String>) -> Field {
        self.default = default.into();
        self
    }
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Field {
        self.value = value.into();
        self
    }
    #[must_use]
    pub fn required(mut self) -> Field {
        self.required = true;
        self
    }
    #[must_use]
    pub fn asks_anew(mut self) -> Field {
        self.asks_anew = true;
        self
    }
    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Field {
        self.autocomplete = what;
        self
    }

    /// With what was typed, where the form was posted, and what was wrong with it.
    #[must_use]
    pub fn after(mut self, typed: Option<&Typed>, faults: &[Fault]) -> Field {
        if let Some(typed) = typed
            && self.input != Input::Password
        {
            self.value = typed.of(&self.name, &self.input);
        }
        let about = faults.iter().filter(|f| f.field == self.name).map(|f| f.message.as_str());
        self.fault = about.collect::<Vec<_>>().join(" ");
        self
    }

    /// Of its control.
    fn id(&self) -> String {
        format!("f-{}", self.name.replace(['.', '_', ' '], "-"))
    }
    fn is_check(&self) -> bool {
        self.input == Input::Check
    }
    /// Both parts of a rate.
    fn rate(&self) -> (&str, &str) {
        self.value.split_once('/').unwrap_or(("", "day"))
    }
    /// Kind and value of an address.
    fn address(&self) -> (&str, &str) {
        self.value.split_once('/').unwrap_or(("work", &self.value))
    }
    fn days(&self) -> Vec<(String, &'static str, bool)> {
        let picked: Vec<&str> = self.value.split(',').collect();
        let word = |d: Weekday| d.short().to_ascii_lowercase();
        Weekday::ALL.iter().map(|d| (word(*d), d.short(), picked.contains(&word(*d).as_str()))).collect()
    }
    fn picks(&self, value: &str) -> bool {
        self.value.split(',').any(|picked| picked == value)
    }
    /// The attributes that all controls have.
    fn attributes(&self) -> String {
        let mut out = format!("id=\"{}\" name=\"{}\"", self.id(), Escaped(&self.name));
        if self.required {
            out.push_str(" required");
        }
        if self.asks_anew {
            out.push_str(" data-submit");
        }
        if !self.autocomplete.is_empty() {
            out.push_str(&format!(" autocomplete=\"{}\"", self.autocomplete));
        }
        if !self.fault.is_empty() {
            // The first of them is where one goes on.
            out.push_str(" autofocus");
            out.push_str(&format!(" aria-invalid=\"true\" aria-describedby=\"{}-fault\"", self.id()));
        }
        out
    }
}

impl askama::filters::HtmlSafe for Field {}

/// What a form posted.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Typed(pub Vec<(String, String)>);

impl Typed {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// Without space around it; empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }
    pub fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// The one value of a field, however many controls it has.
    pub fn of(&self, name: &str, input: &Input) -> String {
        match input {
            Input::Days | Input::Several(_) => self.all(name).collect::<Vec<_>>().join(","),
            Input::Rate if self.text(name).is_empty() => String::new(),
            Input::Rate => format!("{}/{}", self.text(name), self.text(&format!("{name}_per"))),
            Input::Address(_) => {
                let kind = Some(self.text(&format!("{name}.kind"))).filter(|k| !k.is_empty()).unwrap_or("work");
                format!("{kind}/{}", self.get(name).unwrap_or_default())
            }
            Input::Area => self.get(name).unwrap_or_default().replace("\r\n", "\n"),
            _ => self.get(name).unwrap_or_default().to_owned(),
        }
    }
}

/// The faults of a refused form, to be shown beside its fields; other failures are passed on.
pub fn faults(error: ActionError) -> Result<Vec<Fault>, ActionError> {
    match error {
        ActionError::Invalid(faults) => Ok(faults),
        other => Err(other),
    }
}

/// What is about no field that is shown, to be said above the form.
pub fn beside(faults: &[Fault], fields: &[Field]) -> Vec<String> {
    faults.iter().filter(|f| !fields.iter().any(|field| field.name == f.field)).map(|f| f.message.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_shows_what_was_typed_and_what_is_wrong_and_stays_in_its_quotes() {
        let typed = Typed(vec![
            ("name".into(), "\"><script>".into()),
            ("cap".into(), "5".into()),
            ("cap_per".into(), "hour".into()),
        ]);
        let faults = [Fault { field: "name".into(), message: "Not <so>.".into() }];
        let html = Field::new("name", "Name").after(Some(&typed), &faults).to_string();
        assert!(html.contains("value=\"&#34;&#62;&#60;script&#62;\"") && html.contains("Not &#60;so&#62;."), "{html}");
        assert!(html.contains("aria-invalid") && html.contains("aria-describedby=\"f-name-fault\""), "{html}");
        let cap = Field::new("cap", "Cap").of(Input::Rate).after(Some(&typed), &[]);
        assert_eq!(cap.value, "5/hour");
        let secret = Typed(vec![("p".into(), "hunter2".into())]);
        assert!(!Field::new("p", "P").of(Input::Password).after(Some(&secret), &[]).to_string().contains("hunter2"));
    }
}
