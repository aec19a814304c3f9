//! The matrix as it stands in `docs/reliability.md`.

use core::fmt::Write as _;

use super::{
    Observed, PARTS,
    row::{Needs, Row, Scene},
};

const BEGIN: &str = "<!-- the matrix: written by the test `reliability` -->\n";
const END: &str = "<!-- end of the matrix -->\n";

/// The page with what was observed in place of its rows, and the faults that are in neither.
pub(crate) fn with(observed: &Observed, committed: &str) -> (String, Vec<&'static str>) {
    let (front, rest) = committed.split_once(BEGIN).expect("the page has a matrix");
    let (rows, back) = rest.split_once(END).expect("the matrix has an end");
    let mut missing = Vec::new();
    let mut text = format!("{front}{BEGIN}");
    for (part, scenes) in PARTS {
        write!(
            text,
            "\n### {part}\n\n| what fails | the client | the operator | what is lost |\n|---|---|---|---|\n"
        )
        .unwrap();
        for scene in scenes {
            let first = first_cell(scene);
            match observed.get(scene.fault) {
                Some(row) => text += &line(&first, row),
                None => match rows.lines().find(|line| line.starts_with(&first)) {
                    Some(line) => text += &format!("{line}\n"),
                    None => missing.push(scene.fault),
                },
            }
        }
    }
    (format!("{text}\n{END}{back}"), missing)
}

fn first_cell(scene: &Scene) -> String {
    let mark = match scene.needs {
        Needs::Nothing | Needs::Log => "",
        Needs::Time => " ²",
    };
    format!("| {}{mark} |", scene.fault)
}

fn line(first: &str, row: &Row) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let [client, operator, lost] = [&row.client, &row.operator, &row.lost].map(|text| cell(text));
    format!("{first} {client} | {operator} | {lost} |\n")
}

/// The lines that are in one of the two only.
pub(crate) fn differing(text: &str, committed: &str) -> String {
    let only = |mark: char, these: &str, those: &str| {
        let lines = these
            .lines()
            .filter(|line| !those.lines().any(|other| other == *line));
        lines.fold(String::new(), |all, line| format!("{all}{mark} {line}\n"))
    };
    if text == committed {
        return String::new();
    }
    only('-', committed, text) + &only('+', text, committed) + "(the order counts too)\n"
}
