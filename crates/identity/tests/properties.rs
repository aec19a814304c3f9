//! What holds for every text that somebody might write.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod support;

use fulcio_identity::{
    CiMetadata, CiProvider, ClaimPath, Config, IssuerPattern, Kind, Template, UnknownKeys,
};
use proptest::prelude::*;
use regex::Regex;
use support::verified;

/// What Fulcio makes of a pattern.
fn fulcio(pattern: &str) -> Regex {
    let replaced = regex::escape(pattern).replace(r"\*", "[-_a-zA-Z0-9]+");
    Regex::new(&format!(r"\A{replaced}\z")).unwrap()
}

fn part() -> impl Strategy<Value = String> {
    "[a.*/-]{0,8}"
}

/// Pieces of templates in any order, most of which make none.
fn template() -> impl Strategy<Value = String> {
    let piece = "\\{\\{-? ?|-?\\}\\}|\\.[a-z]{0,2}| |\\(|\\)|\\||\"|`|/\\*|\\*/|if|else|end|eq|ne|and|or|not|index|printf|\"%[svqtd%]\"|true|\\PC|\\$x|\\n";
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_template_breaks_the_evaluator(text in template(), wrapped in any::<bool>(), claim: String) {
        let text = if wrapped { format!("{{{{{text}}}}}") } else { text };
        match Template::parse(&text) {
            Ok(template) => {
                prop_assert_eq!(template.as_str(), &text);
                let mut metadata = CiMetadata::default();
                metadata.subject_alternative_name_template = template;
                let _ = CiProvider::new(metadata).principal(&verified(&[("a", claim.into())]));
            }
            Err(error) => {
                let line = text.split('\n').nth(error.line() - 1);
                let line = line.ok_or_else(|| TestCaseError::fail(error.to_string()))?;
                prop_assert!(error.column() <= line.chars().count() + 1, "{}", error);
            }
        }
    }

    #[test]
    fn no_nesting_breaks_the_reader(depth in 0..2_000_usize, closed in any::<bool>()) {
        let (open, close) = if closed { (depth, depth) } else { (depth, 0) };
        let _ = Template::parse(&format!("{{{{{}.a{}}}}}", "(".repeat(open), ")".repeat(close)));
        let _ = Template::parse(&format!("{}{}", "{{if .a}}".repeat(open), "{{end}}".repeat(close)));
        let _ = Template::parse(&format!("{{{{if .a}}}}{}{}", "{{else if .a}}".repeat(open), "{{end}}".repeat(close)));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _ = Config::parse(&text, "config.yaml");
    }

    #[test]
    fn no_yaml_breaks_the_reader(
        lines in proptest::collection::vec(
            "( {0,4})(- )?(&a |\\*a|<<|oidc-issuers|meta-issuers|ci-issuer-metadata|https://a\\.b|https://\\*\\.b|issuer-url|client-id|type|ca-cert|extension-templates|x)(:| :)? ?(email|spiffe|\\*a|&a|\\{\\}|\\[\\]|\\{|\\||>|'|\"|~|\\*a:)?",
            0..12,
        ),
        tolerate in any::<bool>(),
    ) {
        let unknown = if tolerate { UnknownKeys::Tolerate } else { UnknownKeys::Refuse };
        if let Err(error) = Config::parse_with(&lines.join("\n"), "config.yaml", unknown) {
            prop_assert!(error.to_string().starts_with("config.yaml:"));
        }
    }

    #[test]
    fn no_json_breaks_the_reader(
        key in "OIDCIssuers|MetaIssuers|CIIssuerMetadata|\\PC{0,6}",
        value in "\\{\"a\":\\{\"(Type|ClientID|ExtensionTemplates|b)\":(1|true|null|\"email\"|\\{\\}|\\[\\])\\}\\}|\\PC{0,12}",
    ) {
        let text = format!("{{{key:?}: {value}}}");
        let _ = Config::parse(&text, "config.json");
    }

    #[test]
    fn a_change_of_one_character_in_a_large_file_breaks_nothing(at in any::<prop::sample::Index>(), to in any::<char>()) {
        let text = include_str!("vectors/fulcio.yaml");
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        let changed: String = characters[..at].iter().chain([&to]).chain(&characters[at + 1..]).collect();
        let _ = Config::parse(&changed, "config.yaml");
    }

    #[test]
    fn a_pattern_matches_what_it_matches_in_fulcio(pattern in part(), url in part()) {
        let ours = IssuerPattern::new(pattern.as_str());
        prop_assert_eq!(ours.matches(&url), fulcio(&pattern).is_match(&url));
    }

    #[test]
    fn a_star_is_never_a_dot_a_slash_or_nothing(inside in "[^*]{0,6}") {
        let pattern = IssuerPattern::new("https://*.example.com/x");
        let matches = pattern.matches(&format!("https://{inside}.example.com/x"));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        prop_assert_eq!(matches, !inside.is_empty() && inside.chars().all(plain));
    }

    #[test]
    fn patterns_overlap_when_something_matches_both(one in part(), other in part(), url in "[a/.-]{0,8}") {
        let (a, b) = (IssuerPattern::new(one), IssuerPattern::new(other));
        prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
        if a.matches(&url) && b.matches(&url) {
            prop_assert!(a.overlaps(&b));
        }
    }

    #[test]
    fn patterns_do_not_overlap_when_nothing_short_matches_both(one in "[a.*]{0,3}", other in "[a.*]{0,3}") {
        let (a, b) = (IssuerPattern::new(one), IssuerPattern::new(other));
        // Whatever two patterns of three tokens have in common, they have in few characters.
        let mut texts = vec![String::new()];
        let mut common = false;
        for _ in 0..=6 {
            common |= texts.iter().any(|text| a.matches(text) && b.matches(text));
            texts = texts.iter().flat_map(|text| [format!("{text}a"), format!("{text}.")]).collect();
        }
        prop_assert_eq!(a.overlaps(&b), common);
    }

    #[test]
    fn no_text_breaks_a_path(text in "\\PC{0,40}|\\$[.\\[\\]'\"a0\\\\]{0,12}") {
        if let Ok(path) = ClaimPath::parse(&text) {
            prop_assert_eq!(path.as_str(), text.trim());
            let again = ClaimPath::parse(path.as_str());
            prop_assert_eq!(again, Ok(path));
        }
    }
}

#[test]
fn a_star_in_the_host_is_told() {
    for (pattern, in_host) in [
        ("https://*.example.com/x", true),
        ("https://example.com:*/x", true),
        ("https://example.com/*", false),
        ("https://example.com?*", false),
        ("*://example.com/", true),
        ("https:/*/x", true),
        ("https://user*@example.com/", true),
        ("https://example.com", false),
    ] {
        assert_eq!(
            IssuerPattern::new(pattern).wildcard_in_host(),
            in_host,
            "{pattern}"
        );
    }
}
