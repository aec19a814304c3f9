use core::fmt;
use std::collections::BTreeSet;

use super::{
    table::{Row, Shape, Shown},
    view::View,
};

/// Where two answers differ.
#[derive(Debug)]
pub(super) struct Difference {
    at: String,
    fulcio: Option<String>,
    ours: Option<String>,
}

impl Difference {
    /// All of them, in the order of their places.
    pub(super) fn between(fulcio: &View, ours: &View) -> Vec<Self> {
        let places: BTreeSet<_> = fulcio.places.keys().chain(ours.places.keys()).collect();
        places
            .into_iter()
            .filter(|at| fulcio.at(at) != ours.at(at))
            .map(|at| Self {
                at: at.clone(),
                fulcio: fulcio.at(at).map(str::to_owned),
                ours: ours.at(at).map(str::to_owned),
            })
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |value: &Option<String>| match value {
            None => "nothing".to_owned(),
            Some(value) if value.len() > 600 => {
                let end = (0..=600).rev().find(|at| value.is_char_boundary(*at));
                format!("{:?}… ({} bytes)", &value[..end.unwrap_or(0)], value.len())
            }
            Some(value) => format!("{value:?}"),
        };
        let (fulcio, ours) = (short(&self.fulcio), short(&self.ours));
        write!(f, "{}\n      Fulcio {fulcio}\n      ours   {ours}", self.at)
    }
}

/// What is wrong with a pair of answers, where the rows allow them to differ; nothing where all is
/// as it has to be.
pub(super) fn judge(rows: &[&Row], fulcio: &View, ours: &View) -> Option<String> {
    let mut differences = Difference::between(fulcio, ours);
    let one_of_two = fulcio.issued != ours.issued;
    if ours.issued && !fulcio.issued {
        return Some(told(
            "NEVER ALLOWED: ours issues and Fulcio does not",
            &differences,
        ));
    }
    for row in rows {
        let Shown::Here(shape) = row.shown else {
            return Some(format!("the row {} is not one that cases show", row.id));
        };
        let before = differences.len();
        differences.retain(|difference| !allows(shape, &difference.at, fulcio, ours));
        if differences.len() == before {
            let what = format!("the row {} does not explain anything here", row.id);
            return Some(told(&what, &differences));
        }
    }
    if one_of_two {
        // Everything in the certificate is a difference, and tells nothing.
        differences.retain(|difference| !difference.at.starts_with("certificate"));
    }
    (!differences.is_empty()).then(|| {
        let what = match (fulcio.issued, ours.issued) {
            (true, false) => "Fulcio issues and ours does not",
            _ => "they differ",
        };
        told(what, &differences)
    })
}

fn allows(shape: Shape, at: &str, fulcio: &View, ours: &View) -> bool {
    let refused = |view: &View| !view.issued && view.at("message").is_some();
    let same = |place| fulcio.at(place) == ours.at(place);
    match shape {
        Shape::Refused => fulcio.issued && refused(ours),
        Shape::Text => at == "message" && refused(fulcio) && same("status") && same("code"),
        Shape::Fault => !fulcio.issued && refused(ours),
        Shape::At(places) => places.iter().any(|place| at.starts_with(place)),
        Shape::Served => !fulcio.issued && !ours.issued,
        Shape::Loaded | Shape::NotLoaded => false,
    }
}

fn told(what: &str, differences: &[Difference]) -> String {
    let mut text = what.to_owned();
    for difference in differences {
        text += &format!("\n    {difference}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::differential::table::Section;

    fn view(status: &str, message: Option<&str>, issued: bool) -> View {
        let mut places = BTreeMap::from([("status".to_owned(), status.to_owned())]);
        places.extend(message.map(|message| ("message".to_owned(), message.to_owned())));
        View { places, issued }
    }

    const fn row(shape: Shape) -> Row {
        Row {
            id: "row",
            section: Section::Wire,
            what: "",
            here: "",
            fulcio: "",
            why: "",
            shown: Shown::Here(shape),
        }
    }

    #[test]
    fn no_row_lets_us_issue_where_fulcio_refuses() {
        let (fulcio, ours) = (view("400", Some("no"), false), view("200", None, true));
        for shape in [
            Shape::At(&[""]),
            Shape::Fault,
            Shape::Refused,
            Shape::Served,
            Shape::Text,
        ] {
            let told = judge(&[&row(shape)], &fulcio, &ours).unwrap();
            assert!(told.starts_with("NEVER ALLOWED"), "{told}");
        }
    }

    #[test]
    fn a_row_explains_its_own_kind_of_difference_and_no_other() {
        let (issued, other) = (view("200", None, true), view("201", None, true));
        let (no, never) = (
            view("400", Some("no"), false),
            view("400", Some("never"), false),
        );
        let internal = view("500", Some("no"), false);
        for (shape, fulcio, ours, explained) in [
            (Shape::Refused, &issued, &no, true),
            (Shape::Refused, &no, &never, false),
            (Shape::Text, &no, &never, true),
            (Shape::Text, &internal, &never, false),
            (Shape::Text, &issued, &no, false),
            (Shape::Fault, &internal, &never, true),
            (Shape::Fault, &issued, &no, false),
            (Shape::Served, &no, &never, true),
            (Shape::Served, &issued, &no, false),
            (Shape::At(&["status"]), &issued, &other, true),
            (Shape::At(&["status"]), &no, &never, false),
        ] {
            let told = judge(&[&row(shape)], fulcio, ours);
            assert_eq!(told.is_none(), explained, "{shape:?}: {told:?}");
        }
    }

    #[test]
    fn answers_that_agree_need_no_row_and_have_none() {
        let (one, same) = (
            view("400", Some("no"), false),
            view("400", Some("no"), false),
        );
        assert_eq!(judge(&[], &one, &same), None);
        assert!(judge(&[&row(Shape::Fault)], &one, &same).is_some());
        assert!(judge(&[], &one, &view("500", Some("no"), false)).is_some());
    }
}
