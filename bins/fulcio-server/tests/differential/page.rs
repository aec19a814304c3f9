//! `docs/differences.md`, made of the table.

use core::fmt::Write as _;

use super::table::{ROWS, Section, Shown};

const FRONT: &str = "\
# Where it differs from Fulcio on purpose

Clients notice none of this while all is well. Where a row says that something is refused, Fulcio would issue; the other way round does not occur:
we never issue where Fulcio refuses, but for configurations of a shape that it cannot serve yet (several entries for one issuer).

Fulcio is v1.8.8. The differential test sends it and us the same requests, and fails on any difference that is not a row here; this page is made of
its table (`bins/fulcio-server/tests/differential/table.rs`). The last column says what shows a row: the differential, or a test of ours where Fulcio
cannot be asked.
";

/// The whole page.
pub(crate) fn text() -> String {
    let mut text = FRONT.to_owned();
    for section in Section::ALL {
        let title = section.title();
        write!(
            text,
            "\n## {title}\n\n| what | here | Fulcio | why | shown by |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for row in ROWS.iter().filter(|row| row.section == section) {
            let shown = match row.shown {
                Shown::Here(_) => "differential".to_owned(),
                Shown::By(file, _) => {
                    let name = file.strip_suffix(".rs").unwrap_or(file);
                    let name = name.rsplit("tests/").next().unwrap_or(name);
                    format!("[{name}](../{file})")
                }
            };
            writeln!(
                text,
                "| {} | {} | {} | {} | {shown} |",
                row.what, row.here, row.fulcio, row.why
            )
            .unwrap();
        }
    }
    text
}

/// Every row that the differential cannot show, with the file and the name of the test that does.
pub(crate) fn shown_elsewhere() -> Vec<(&'static str, &'static str, &'static str)> {
    ROWS.iter()
        .filter_map(|row| match row.shown {
            Shown::By(file, test) => Some((row.id, file, test)),
            Shown::Here(_) => None,
        })
        .collect()
}
