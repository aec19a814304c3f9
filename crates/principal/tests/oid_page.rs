//! `docs/extensions.md` says what the table of extensions says.

use std::{env, fmt::Write, fs};

use fulcio_principal::{Encoding, Extension, SubjectAltName};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/extensions.md");

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever changes the table asks for a new page through the environment"
)]
fn the_page_of_extensions_is_the_table() {
    let page = render();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        found == page,
        "docs/extensions.md is not what the table says; \
         `UPDATE_DOCS=1 cargo test -p fulcio-principal --test oid_page` writes it anew"
    );
}

fn render() -> String {
    let mut page = format!(
        "# Extensions

<!-- Written by crates/principal/tests/oid_page.rs from crates/principal/src/extension.rs. -->

What a certificate says about the token and the build, one X.509 extension for each fact, below the
OID arc {arc}. None is critical, and a fact that is not known has no
extension. A certificate holds them in this order.

The value of an extension is an OCTET STRING. *raw*: it holds the UTF-8 bytes and no DER.
*UTF8String*: it holds one DER `UTF8String`.

The last two columns are the keys of `extension-templates` in a YAML configuration and of
`ExtensionTemplates` in a JSON one. Extensions without keys come from the token itself.

| OID | meaning | value | YAML key | JSON key |
|---|---|---|---|---|
",
        arc = Extension::ARC,
    );
    for extension in Extension::all() {
        let value = match extension.encoding() {
            Encoding::Raw => "raw",
            Encoding::Utf8String => "UTF8String",
        };
        row(
            &mut page,
            &[
                code(extension.oid()),
                extension.title().to_owned(),
                value.to_owned(),
                extension.yaml_key().map_or_else(String::new, code),
                extension.json_key().map_or_else(String::new, code),
            ],
        );
    }
    write!(
        page,
        "
{username} is no extension: it is the type of an `otherName` among the subject alternative
names. Its value is a `UTF8String`, the user, `!` and the domain.
",
        username = code(SubjectAltName::USERNAME_OID),
    )
    .expect("a string takes all");
    page
}

fn row(page: &mut String, cells: &[String]) {
    for cell in cells {
        page.push('|');
        if !cell.is_empty() {
            page.push(' ');
            page.push_str(cell);
        }
        page.push(' ');
    }
    page.push_str("|\n");
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
