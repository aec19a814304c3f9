/// Some values that are separated by commas, each with quotes around it or without (RFC 4180), as
/// in Go's `pflag.StringSlice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List(Vec<String>);

impl List {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Reads a list.
pub(crate) fn list(text: &str) -> Result<List, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let first = reader.records().next().transpose()?;
    let values = first.iter().flatten().map(|value| value.trim().to_owned());
    Ok(List(values.collect()))
}
