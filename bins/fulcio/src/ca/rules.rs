use anyhow::{Result, anyhow, bail};
use fulcio_cert_builder::{CaChain, Review, Role, Violation};

use super::report::Warnings;

/// Refuses what breaks a rule, with what to do about it, and warns of the rest.
pub(crate) fn hold_to(review: &Review, warnings: &mut Warnings) -> Result<()> {
    if !review.violations.is_empty() {
        return Err(refusal(review.role, &review.violations));
    }
    for advice in &review.advice {
        warnings.add(format!("{advice} (certificate specification of Sigstore)"));
    }
    Ok(())
}

/// Holds the certificates of a chain to the rules, but for the first `skipped`. Where `lenient`, those
/// that break one are warned of.
pub(crate) fn hold_chain_to(
    chain: &CaChain,
    skipped: usize,
    lenient: bool,
    warnings: &mut Warnings,
) -> Result<()> {
    let certificates = chain.certificates();
    for (place, certificate) in certificates.iter().enumerate().skip(skipped) {
        let review = Review::of(certificate, &certificates[place + 1..])?;
        if review.violations.is_empty() {
            continue;
        }
        let number = place + 1;
        let broken = told(&review.violations, |_| None);
        let text = format!(
            "certificate {number} of the chain, a {}, breaks the certificate specification of \
             Sigstore: {broken}",
            review.role
        );
        if lenient {
            warnings.add(text);
        } else {
            return Err(anyhow!(
                "{text}; --lenient-parents only warns of what others have issued like that"
            ));
        }
    }
    Ok(())
}

/// Refuses a chain that ends below its root; `flag` is where the rest may be given.
pub(crate) fn must_reach_root(chain: &CaChain, flag: &str) -> Result<()> {
    let Some(last) = chain.certificates().last() else {
        return Ok(());
    };
    let violations = Review::of(last, &[])?.violations;
    let issuer = violations.iter().find_map(|violation| match violation {
        Violation::Issuer(issuer) => Some(issuer),
        _ => None,
    });
    match issuer {
        Some(issuer) => bail!(
            "the chain ends below its root: the certificate of {issuer}, or one that has signed the \
             last of the chain, is missing; give it by {flag}"
        ),
        None => Ok(()),
    }
}

/// Says which rules a certificate that was to be made would break.
pub(crate) fn refusal(role: Role, violations: &[Violation]) -> anyhow::Error {
    anyhow!(
        "this would break the certificate specification of Sigstore for a {role} certificate: {}",
        told(violations, remedy)
    )
}

/// Says which rules a certificate that somebody has made breaks.
pub(crate) fn judgement(review: &Review) -> Option<anyhow::Error> {
    (!review.violations.is_empty()).then(|| {
        anyhow!(
            "the certificate of the key, a {}, breaks the certificate specification of Sigstore: \
             {}; have it issued again",
            review.role,
            told(&review.violations, |_| None)
        )
    })
}

fn told(violations: &[Violation], remedy: impl Fn(&Violation) -> Option<&'static str>) -> String {
    let each = violations.iter().map(|violation| match remedy(violation) {
        Some(remedy) => format!("{violation} ({remedy})"),
        None => violation.to_string(),
    });
    each.collect::<Vec<_>>().join("; ")
}

fn remedy(violation: &Violation) -> Option<&'static str> {
    Some(match violation {
        Violation::AuthorityKeyIdentifier => "use a parent that has one",
        Violation::CommonName => "give one with --common-name",
        Violation::Country(_) => "change --country",
        Violation::ExtendedKeyUsage(_)
        | Violation::ExtendedKeyUsageOfRoot(_)
        | Violation::KeyUsage => "change the template",
        Violation::NameLength { .. } => "shorten it",
        Violation::Organization => "give one with --org",
        Violation::OutlivesParent { .. } => "give a shorter --lifetime, or none",
        Violation::PathLength { .. } => "give a smaller --path-length, or use another parent",
        Violation::PermitsMore { .. } | Violation::PermitsTheExcluded { .. } => {
            "change --permit-… or --exclude-…"
        }
        _ => return None,
    })
}
