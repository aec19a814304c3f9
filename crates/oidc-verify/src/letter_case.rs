/// Whether Go's `encoding/json` takes `text` for the member `known`, which is lower-case ASCII.
pub(crate) fn same_but_for_case(known: &str, text: &str) -> bool {
    let fold = |letter| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    known.chars().eq(text.chars().map(fold))
}
