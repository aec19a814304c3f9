use core::fmt;

use x509_cert::ext::pkix::{
    constraints::name::{GeneralSubtrees, NameConstraints as Decoded},
    name::GeneralName,
};

use crate::{
    Error,
    writer::{Writer, tag},
};

/// Which names the certificates below an authority may have: `NameConstraints` (RFC 5280 section
/// 4.2.1.10). Empty ones are not written.
///
/// A form of name that is not mentioned is not constrained: where only e-mail addresses are
/// permitted, any URI still is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5280 knows no other part")]
pub struct NameConstraints {
    /// A name of a form that is among these must lie within one of them.
    pub permitted: Vec<NameConstraint>,
    /// A name within one of these is refused, permitted or not.
    pub excluded: Vec<NameConstraint>,
}

/// A part of all names of one form, such as every e-mail address at one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameConstraint {
    form: NameForm,
    base: String,
}

/// The forms of name that can be constrained here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameForm {
    /// DNS names, as `example.com`, which means that name and everything below it.
    Dns,
    /// E-mail addresses, as `ada@example.com` (one mailbox), `example.com` (every mailbox at that
    /// host) or `.example.com` (every mailbox at a host below it).
    Email,
    /// URIs by their host, as `example.com` (that host) or `.example.com` (every host below it).
    Uri,
}

impl NameConstraint {
    /// Everything of `form` within `base`; [`NameForm`] says how that is written.
    ///
    /// # Errors
    ///
    /// `base` is no host and, for e-mail addresses, no mailbox. Hosts with other letters than those
    /// of ASCII are written in their `xn--` form.
    pub fn new(form: NameForm, base: impl Into<String>) -> Result<Self, Error> {
        let base = base.into();
        let good = match (form, base.rsplit_once('@')) {
            (NameForm::Dns, _) => is_host(&base),
            (NameForm::Email, Some((local, host))) => is_local_part(local) && is_host(host),
            (NameForm::Email | NameForm::Uri, _) => {
                is_host(base.strip_prefix('.').unwrap_or(&base))
            }
        };
        if good {
            Ok(Self { form, base })
        } else {
            Err(Error::NameConstraint { form, base })
        }
    }

    /// Which names it is about.
    #[must_use]
    pub fn form(&self) -> NameForm {
        self.form
    }

    /// What they lie within.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether every name within `other` is within this one too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if self.form != other.form {
            return false;
        }
        let (ours, theirs) = (self.base.as_str(), other.base.as_str());
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match (self.form, ours.rsplit_once('@'), theirs.rsplit_once('@')) {
            (NameForm::Email, Some((our_local, our_host)), Some((their_local, their_host))) => {
                our_local == their_local && same(our_host, their_host)
            }
            (NameForm::Email, Some(_), None) => false,
            (NameForm::Email, None, Some((_, host))) => is_within(host, ours),
            (NameForm::Dns, ..) => {
                let [ours, theirs] = [ours, theirs].map(|base| base.trim_start_matches('.'));
                ours.is_empty() || same(ours, theirs) || ends_with(theirs, &format!(".{ours}"))
            }
            _ => is_within(theirs, ours),
        }
    }

    fn write(&self, out: &mut Writer) {
        out.nested(tag::SEQUENCE, |subtree| {
            subtree.element(tag::context(self.form.choice()), self.base.as_bytes());
        });
    }
}

/// Whether a host, or all hosts below one where there is a period before it, are within `base`,
/// written in the same way.
fn is_within(hosts: &str, base: &str) -> bool {
    base.is_empty()
        || hosts.eq_ignore_ascii_case(base)
        || (base.starts_with('.') && ends_with(hosts, base))
}

fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    start
        .and_then(|start| text.get(start..))
        .is_some_and(|last| last.eq_ignore_ascii_case(end))
}

impl fmt::Display for NameConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may come from a certificate of strangers.
        write!(f, "{} {}", self.form, self.base.escape_debug())
    }
}

impl NameForm {
    /// Its tag in `GeneralName` (RFC 5280 section 4.2.1.6).
    fn choice(self) -> u8 {
        match self {
            Self::Email => 1,
            Self::Dns => 2,
            Self::Uri => 6,
        }
    }
}

impl fmt::Display for NameForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS name",
            Self::Email => "e-mail",
            Self::Uri => "URI",
        })
    }
}

impl NameConstraints {
    /// Whether nothing is constrained.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// What is known here of those of a certificate; constraints on other forms of name are left
    /// out.
    pub(crate) fn of(decoded: Decoded) -> Self {
        Self {
            permitted: known(decoded.permitted_subtrees),
            excluded: known(decoded.excluded_subtrees),
        }
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.nested(tag::SEQUENCE, |constraints| {
            for (number, subtrees) in [(0, &self.permitted), (1, &self.excluded)] {
                if !subtrees.is_empty() {
                    constraints.nested(tag::context_constructed(number), |out| {
                        subtrees.iter().for_each(|subtree| subtree.write(out));
                    });
                }
            }
        });
        out.finish()
    }
}

fn known(subtrees: Option<GeneralSubtrees>) -> Vec<NameConstraint> {
    let subtrees = subtrees.unwrap_or_default().into_iter();
    let known = subtrees.filter_map(|subtree| {
        let (form, base) = match subtree.base {
            GeneralName::Rfc822Name(base) => (NameForm::Email, base),
            GeneralName::DnsName(base) => (NameForm::Dns, base),
            GeneralName::UniformResourceIdentifier(base) => (NameForm::Uri, base),
            _ => return None,
        };
        let base = base.as_str().to_owned();
        Some(NameConstraint { form, base })
    });
    known.collect()
}

/// A host by its name (RFC 1123 section 2.1), with underscores; its last label is not a number, so
/// that it is no address.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(label) && !host.rsplit('.').next().is_some_and(number)
}

/// The characters of a `Dot-string` (RFC 5321 section 4.1.2).
fn is_local_part(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= 64 && local.split('.').all(atom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(form: NameForm, base: &str, other: &str) -> bool {
        let constraint = |base: &str| NameConstraint::new(form, base).unwrap();
        constraint(base).covers(&constraint(other))
    }

    #[test]
    fn what_lies_within_what_follows_rfc_5280() {
        use NameForm::{Dns, Email, Uri};
        for (form, base, inside) in [
            (Dns, "example.com", "example.com"),
            (Dns, "example.com", "a.b.EXAMPLE.com"),
            (Email, "example.com", "ada@Example.com"),
            (Email, "ada@example.com", "ada@EXAMPLE.com"),
            (Email, ".example.com", "ada@a.example.com"),
            (Email, ".example.com", "a.example.com"),
            (Email, ".example.com", ".a.example.com"),
            (Uri, "example.com", "example.com"),
            (Uri, ".example.com", "a.example.com"),
            (Uri, ".example.com", ".example.com"),
        ] {
            assert!(covers(form, base, inside), "{form} {base} {inside}");
        }
        for (form, base, outside) in [
            (Dns, "example.com", "anexample.com"),
            (Dns, "a.example.com", "example.com"),
            (Email, "example.com", "ada@a.example.com"),
            (Email, "example.com", ".example.com"),
            (Email, "ada@example.com", "example.com"),
            (Email, "ada@example.com", "Ada@example.com"),
            (Email, ".example.com", "example.com"),
            (Uri, "example.com", "a.example.com"),
            (Uri, ".example.com", "example.com"),
            (Uri, "example.com", ".example.com"),
        ] {
            assert!(!covers(form, base, outside), "{form} {base} {outside}");
        }
        let dns = NameConstraint::new(Dns, "example.com").unwrap();
        assert!(!dns.covers(&NameConstraint::new(Uri, "example.com").unwrap()));
    }

    #[test]
    fn an_empty_base_of_strangers_is_everything() {
        let all = |form| NameConstraint {
            form,
            base: String::new(),
        };
        for form in [NameForm::Dns, NameForm::Email, NameForm::Uri] {
            assert!(all(form).covers(&NameConstraint::new(form, "example.com").unwrap()));
        }
    }
}
