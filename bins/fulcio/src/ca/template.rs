use std::{path::PathBuf, time::SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_cert_builder::{
    CaTemplate, CertificationRequest, DistinguishedName, Issuer, Lifetime, Role, Violation,
};

use super::{
    lifetime::WrittenLifetime,
    name::{ConstraintFlags, NameFlags},
    path_length::PathLength,
    report::Warnings,
    rules,
    template_file::TemplateFile,
};

/// What a new certificate, or the request for one, will say.
#[derive(Debug, Args)]
pub(crate) struct TemplateFlags {
    /// A TOML or JSON file with the flags below, and --lifetime, as its keys; flags win over it.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    #[command(flatten)]
    name: NameFlags,
    /// How many authorities may be between this one and a leaf, or none for no limit [default: 1
    /// for a root, 0 for an intermediate].
    #[arg(long, value_name = "N")]
    path_length: Option<PathLength>,
    #[command(flatten)]
    constraints: ConstraintFlags,
}

/// A template, and what cannot be seen in it.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) ca: CaTemplate,
    /// Whether somebody has asked for that lifetime.
    lifetime_is_given: bool,
}

impl TemplateFlags {
    /// The template of flags and file. Where neither has a name, it is that of `requested`.
    pub(crate) fn template(
        self,
        role: Role,
        lifetime: Option<WrittenLifetime>,
        requested: Option<&CertificationRequest>,
    ) -> Result<Template> {
        let file = match &self.template {
            Some(path) => TemplateFile::read(path)?,
            None => TemplateFile::default(),
        };
        usages(role, &file)?;
        let mut name = self.name.or(file.name).distinguished_name();
        if let Some(requested) = requested
            && name == DistinguishedName::default()
        {
            name = requested.subject()?;
        }
        let mut ca = match role {
            Role::Root => CaTemplate::root(name),
            Role::Intermediate => CaTemplate::intermediate(name),
        };
        if let Some(PathLength(length)) = self.path_length.or(file.path_length) {
            ca.path_length = length;
        }
        ca.name_constraints = self
            .constraints
            .or(file.constraints)
            .name_constraints()
            .context("a name constraint cannot be written")?;
        let lifetime = lifetime.or(file.lifetime);
        if let Some(WrittenLifetime(lifetime)) = lifetime {
            ca.lifetime = lifetime;
        }
        Ok(Template {
            ca,
            lifetime_is_given: lifetime.is_some(),
        })
    }
}

impl Template {
    /// Refuses a lifetime that was asked for and that the parent does not reach; one that was not is
    /// cut where the parent's ends.
    pub(crate) fn fit_lifetime(
        &self,
        parent: &Issuer,
        now: SystemTime,
        warnings: &mut Warnings,
    ) -> Result<()> {
        let own = self.ca.lifetime.end(now)?;
        let parent = parent.validity().not_after;
        if own <= parent {
            return Ok(());
        }
        if self.lifetime_is_given {
            return Err(rules::refusal(
                Role::Intermediate,
                &[Violation::OutlivesParent { own, parent }],
            ));
        }
        warnings.add(match self.ca.lifetime {
            Lifetime::Years(years) => {
                format!("the lifetime of {years} years is cut: it ends when the parent's does")
            }
            Lifetime::Exactly(_) => {
                "the lifetime is cut: it ends when the parent's does".to_owned()
            }
        });
        Ok(())
    }

    /// Says where a request cannot ask for what was asked for.
    pub(crate) fn without_lifetime(self, warnings: &mut Warnings) -> CaTemplate {
        if self.lifetime_is_given {
            warnings.add("a request has no lifetime; whoever certifies the key decides".to_owned());
        }
        self.ca
    }
}

/// Refuses other usages than those that the certificate has.
fn usages(role: Role, file: &TemplateFile) -> Result<()> {
    let mut violations = Vec::new();
    if let Some(usages) = &file.key_usage {
        let named = |names: &[&str]| {
            let is = |usage: &String| names.iter().any(|name| name.eq_ignore_ascii_case(usage));
            usages.iter().filter(|usage| is(usage)).count()
        };
        let (certificates, lists) = (named(&["certSign", "keyCertSign"]), named(&["crlSign"]));
        if certificates == 0 || lists == 0 || certificates + lists != usages.len() {
            violations.push(Violation::KeyUsage);
        }
    }
    if let Some(usages) = &file.extended_key_usage {
        match role {
            Role::Root if !usages.is_empty() => {
                violations.push(Violation::ExtendedKeyUsageOfRoot(usages.clone()));
            }
            Role::Intermediate
                if usages.len() != 1 || !usages[0].eq_ignore_ascii_case("codeSigning") =>
            {
                violations.push(Violation::ExtendedKeyUsage(usages.clone()));
            }
            _ => {}
        }
    }
    match violations.is_empty() {
        true => Ok(()),
        false => Err(rules::refusal(role, &violations)),
    }
}
