//! What a claim can be, by rule: the types of JSON, and the shapes of strings that end in a name.

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Its value is this text.
    Is(&'static str),
    /// It is there under this name in another case.
    InAnotherCase,
    /// It is not there.
    Missing,
    /// It is there once more, before, as a string.
    Twice,
}

use Change::{InAnotherCase, Is, Missing, Twice};

/// Each with its name.
pub(super) const CHANGES: &[(&str, Change)] = &[
    // Whether it is there.
    ("missing", Missing),
    ("empty", Is(r#""""#)),
    ("null", Is("null")),
    ("twice", Twice),
    ("in another case", InAnotherCase),
    // The types of JSON.
    ("number", Is("7")),
    ("zero", Is("0")),
    ("negative", Is("-12.50")),
    ("fraction", Is("0.1")),
    ("small exponent", Is("1e-7")),
    ("below a million", Is("999999")),
    ("a million", Is("1000000")),
    ("huge integer", Is("12345678901234567890123")),
    ("exponent", Is("1e21")),
    ("beyond numbers", Is("1e400")),
    ("true", Is("true")),
    ("false", Is("false")),
    ("empty array", Is("[]")),
    (
        "array",
        Is(r#"["a", 1000000, 1.5, null, true, "x y", ["z"]]"#),
    ),
    ("empty object", Is("{}")),
    ("object", Is(r#"{"b": {"c": [1e6]}, "a": "x y", "": null}"#)),
    // Characters.
    ("Unicode", Is(r#""Größe → ✓ 😀""#)),
    ("escaped Unicode", Is(r#""\u0041\u00df\ud83d\ude00""#)),
    ("half a character", Is(r#""a\ud800b""#)),
    ("HTML", Is(r#""<a href='x'>&amp;\"</a>""#)),
    ("space", Is(r#"" a b ""#)),
    ("tab", Is(r#""a\tb""#)),
    ("line end", Is(r#""a\nb""#)),
    ("null character", Is(r#""a\u0000b""#)),
    ("delete", Is(r#""a\u007fb""#)),
    ("backslash", Is(r#""a\\b""#)),
    ("braces", Is(r#""{{.sub}}""#)),
    ("text of true", Is(r#""true""#)),
    ("text of True", Is(r#""True""#)),
    ("text of a number", Is(r#""1e6""#)),
    // What may end in a name.
    ("query", Is(r#""a?b=c&d e""#)),
    ("empty query", Is(r#""a?""#)),
    ("fragment", Is(r##""a#b""##)),
    ("empty fragment", Is(r##""a#""##)),
    ("dots", Is(r#""a/../b/./c""#)),
    ("too many dots", Is(r#""../../..""#)),
    ("slashes", Is(r#""/a//b/""#)),
    ("escape", Is(r#""a%2Fb%41""#)),
    ("broken escape", Is(r#""a%zzb""#)),
    ("percent", Is(r#""100%""#)),
    ("colon", Is(r#""a:b""#)),
    ("plus", Is(r#""a+b;c,d$e=f!g*h(i)""#)),
    ("brackets", Is(r#""[a]{b}|^`\u007e""#)),
    ("Punycode", Is(r#""xn--bcher-kva.example""#)),
    ("not IA5", Is(r#""bücher.example""#)),
    ("e-mail address", Is(r#""ada@example.com""#)),
    (
        "e-mail address with a tag",
        Is(r#""ada+tag@sub.example.com""#),
    ),
    ("e-mail address in quotes", Is(r#""\"a b\"@example.com""#)),
    (
        "e-mail address with a comment",
        Is(r#""ada@example.com (Ada)""#),
    ),
    (
        "e-mail address of two",
        Is(r#""ada@example.com,eve@example.com""#),
    ),
    ("e-mail address of a host", Is(r#""ada@localhost""#)),
    (
        "e-mail address of an IP address",
        Is(r#""ada@[127.0.0.1]""#),
    ),
    (
        "e-mail address in Punycode",
        Is(r#""ada@xn--bcher-kva.example""#),
    ),
    ("e-mail address not IA5", Is(r#""ada@bücher.example""#)),
    (
        "e-mail address with a line end",
        Is(r#""ada@example.com\n""#),
    ),
    ("e-mail address in capitals", Is(r#""ADA@EXAMPLE.COM""#)),
    (
        "URL",
        Is(r##""https://ada:pw@host.example:8443/p/../q?r=s#t""##),
    ),
    ("opaque URL", Is(r#""mailto:ada@example.com""#)),
    ("URL of another host", Is(r#""//other.example/x""#)),
    (
        "URL with an IPv6 address",
        Is(r#""https://[fe80::1%25eth0]:443/x""#),
    ),
    ("URL without a host", Is(r#""https:///x""#)),
    (
        "URL of a host not IA5",
        Is(r#""https://bücher.example/ü?ü#ü""#),
    ),
    ("URL with a bad port", Is(r#""https://host.example:x/""#)),
    ("URL with a space in its host", Is(r#""https://a b/""#)),
    ("SPIFFE ID", Is(r#""spiffe://example.com/a/b""#)),
    (
        "SPIFFE ID of another",
        Is(r#""spiffe://sub.example.com/a""#),
    ),
    ("SPIFFE ID in capitals", Is(r#""SPIFFE://example.com/a""#)),
    (
        "SPIFFE ID with a query",
        Is(r#""spiffe://example.com/a?b""#),
    ),
    ("SPIFFE ID not IA5", Is(r#""spiffe://example.com/ü""#)),
    (
        "URL of this host",
        Is(r##""http://127.0.0.1:8080/ü/a b/../c?d e=%41#f""##),
    ),
    (
        "URL of this host in capitals",
        Is(r#""HTTP://127.0.0.1/A""#),
    ),
    (
        "URL of this host with a user",
        Is(r#""http://ada@127.0.0.1/""#),
    ),
    ("URL of this host, opaque", Is(r#""http:127.0.0.1/a""#)),
    (
        "URL of this host, other scheme",
        Is(r#""https://127.0.0.1/a""#),
    ),
    ("exclamation mark", Is(r#""a!b""#)),
];
