/// Whether Fulcio takes `text` for an e-mail address.
///
/// It asks govalidator's `Email` rule, which is neither RFC 5321 nor RFC 5322: most of what is
/// beyond ASCII passes, and in a quoted local part each character has a quote of its own before
/// it. Nobody gets a certificate here whom Fulcio would refuse, so the rule is kept with its
/// oddities; `tests/vectors/email.tsv` has what Go says.
pub(crate) fn is_email_address(text: &str) -> bool {
    // Neither rule lets an `@` into the domain.
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    is_domain(domain) && (is_dot_atom(local) || is_quoted_string(local))
}

/// Atoms (RFC 5322 section 3.2.3) with single dots between them.
fn is_dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_beyond_ascii(c)
}

/// Units of a quote, a fold and a character, and at the end a fold and a last quote.
fn is_quoted_string(text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut is_boundary = vec![false; text.len() + 2];
    is_boundary[0] = true;
    for at in 0..text.len() {
        if !is_boundary[at] {
            continue;
        }
        if text[after_fold(&text, at)..] == ['"'] {
            return true;
        }
        if text[at] != '"' {
            continue;
        }
        let unit = after_fold(&text, at + 1);
        if text.get(unit).is_some_and(|c| is_quoted_character(*c)) {
            is_boundary[unit + 1] = true;
        }
        // An opening bracket may take along what could not stand alone.
        if let Some(['(', '\x01'..='\x09' | '\x0b'..='\x7f']) = text.get(unit..unit + 2) {
            is_boundary[unit + 2] = true;
        }
    }
    false
}

/// Where the white space that begins at `at` ends. It may hold one line break, and then has to go
/// on after it (RFC 5322 section 3.2.2).
fn after_fold(text: &[char], at: usize) -> usize {
    let after_spaces = |from: usize| {
        let spaces = text[from..].iter().take_while(|c| matches!(c, ' ' | '\t'));
        from + spaces.count()
    };
    let line = after_spaces(at);
    if text[line..].starts_with(&['\r', '\n']) {
        let folded = after_spaces(line + 2);
        if folded > line + 2 {
            return folded;
        }
    }
    line
}

fn is_quoted_character(c: char) -> bool {
    match c {
        '\0' | '\t' | '\n' | '\r' | ' ' | '"' | '\\' => false,
        _ => c.is_ascii() || is_beyond_ascii(c),
    }
}

/// Labels, the last of which may not begin or end with a digit; one dot may follow it.
///
/// The rule lets dots stand inside a label, so all labels but the last are judged as one.
fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((labels, last)) = text.rsplit_once('.') else {
        return false;
    };
    is_label(labels, is_letter_or_digit, |c| {
        is_letter_or_digit(c) || ".-_~".contains(c)
    }) && is_label(last, is_letter, |c| {
        is_letter_or_digit(c) || "-_~".contains(c)
    })
}

fn is_label(text: &str, edge: fn(char) -> bool, inside: fn(char) -> bool) -> bool {
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inside)
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_digit() || is_letter(c)
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || is_beyond_ascii(c)
}

fn is_beyond_ascii(c: char) -> bool {
    matches!(c, '\u{A0}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFEF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_what_go_says_about_every_recorded_address() {
        let mut seen = [0, 0];
        for line in include_str!("../tests/vectors/email.tsv").lines() {
            let (expected, address) = line.split_once('\t').unwrap();
            let address: String = serde_json::from_str(address).unwrap();
            let expected = expected == "true";
            seen[usize::from(expected)] += 1;
            assert_eq!(is_email_address(&address), expected, "{address:?}");
        }
        assert!(seen[0] > 500 && seen[1] > 150, "{seen:?}");
    }
}
