//! The pages that people see. Whatever did not come from this file goes through [`escape`].

/// The front page: what this is, and a token for the asking.
pub(crate) fn home(issuer: &str) -> String {
    let issuer = escape(issuer);
    page(
        "Development identity provider",
        &format!(
            r#"<form method="get" action="{issuer}/token">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" required autofocus value="alice@example.com">
<label for="audience">Audience</label>
<input id="audience" name="audience" required value="sigstore">
<button>Get a token</button>
</form>
<p>From a shell:</p>
<pre>curl '{issuer}/token?email=alice@example.com'</pre>
<p>For programs: <a href="{issuer}/.well-known/openid-configuration">discovery document</a>,
<a href="{issuer}/keys">keys</a>. The issuer is <code>{issuer}</code>.</p>"#
        ),
    )
}

/// The login page of an application that wants to know who somebody is. `hidden` are the names and
/// values of fields that the person does not see.
pub(crate) fn login(
    action: &str,
    client: &str,
    email: &str,
    complaint: Option<&str>,
    hidden: &[(&'static str, &str)],
) -> String {
    let mut fields = String::new();
    for (name, value) in hidden {
        fields += &format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
            escape(value)
        );
    }
    let complaint = match complaint {
        Some(text) => format!("<p class=\"complaint\">{}</p>\n", escape(text)),
        None => String::new(),
    };
    page(
        "Who do you want to be?",
        &format!(
            r#"<p><code>{client}</code> asks who you are.</p>
{complaint}<form method="post" action="{action}">
{fields}<label for="email">E-mail address</label>
<input id="email" name="email" type="email" required autofocus value="{email}">
<button>Continue</button>
</form>"#,
            client = escape(client),
            action = escape(action),
            email = escape(email),
        ),
    )
}

/// A code for a person to copy into the program that waits for it.
pub(crate) fn code(code: &str) -> String {
    page(
        "Your code",
        &format!(
            "<p>Copy this into the program that asked for it:</p>\n<pre>{}</pre>",
            escape(code)
        ),
    )
}

/// Why something did not work.
pub(crate) fn failure(explanation: &str) -> String {
    page(
        "That did not work",
        &format!("<p class=\"complaint\">{}</p>", escape(explanation)),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – for development only</title>
<style>{STYLE}</style>
</head>
<body>
<p class="banner"><strong>For development only.</strong>
Nobody checks who you are here: everybody can be anybody. Trust nothing that is signed with it.</p>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"#
    )
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }
.banner { margin: 0; padding: .75rem 1rem; background: #ffd54a; color: #1d1700; text-align: center; }
main { max-width: 32rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .5rem; font: inherit; }
button { margin-top: 1.25rem; padding: .5rem 1.25rem; font: inherit; }
pre { padding: .75rem; border: 1px solid; overflow-x: auto; }
.complaint { padding: .5rem .75rem; border-left: .25rem solid #c62828; }
";

/// Makes text safe between tags and in double or single quotes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_stays_text() {
        let evil = "\"'><script>alert(1)</script>&";
        let pages = [
            login(evil, evil, evil, Some(evil), &[("state", evil)]),
            code(evil),
            failure(evil),
            home(evil),
        ];
        for page in pages {
            assert!(!page.contains("<script"), "{page}");
            assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;"), "{page}");
        }
    }
}
