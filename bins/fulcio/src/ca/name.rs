use clap::Args;
use fulcio_cert_builder::{DistinguishedName, Error, NameConstraint, NameConstraints, NameForm};

/// What an authority is called.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NameFlags {
    /// Organization of the authority; every CA certificate needs one.
    #[arg(long)]
    pub(crate) org: Option<String>,
    /// Common name of the authority; every CA certificate needs one.
    #[arg(long)]
    pub(crate) common_name: Option<String>,
    /// Organizational unit of the authority.
    #[arg(long)]
    pub(crate) organizational_unit: Option<String>,
    /// Country of the authority, in two letters.
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// State or province of the authority.
    #[arg(long)]
    pub(crate) province: Option<String>,
    /// Locality of the authority.
    #[arg(long)]
    pub(crate) locality: Option<String>,
    /// Street address of the authority.
    #[arg(long)]
    pub(crate) street_address: Option<String>,
    /// Postal code of the authority.
    #[arg(long)]
    pub(crate) postal_code: Option<String>,
}

/// Which names certificates below an authority may have.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConstraintFlags {
    /// Permit e-mail addresses within this only: ada@example.com, example.com (at that host) or
    /// .example.com (at hosts below it).
    #[arg(long, value_name = "EMAILS")]
    pub(crate) permit_email: Vec<String>,
    /// Permit DNS names within this only: example.com (and all below it).
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) permit_dns: Vec<String>,
    /// Permit URIs at this host only: example.com, or .example.com (hosts below it).
    #[arg(long, value_name = "HOST")]
    pub(crate) permit_uri: Vec<String>,
    /// Refuse e-mail addresses within this, written as for --permit-email.
    #[arg(long, value_name = "EMAILS")]
    pub(crate) exclude_email: Vec<String>,
    /// Refuse DNS names within this, written as for --permit-dns.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) exclude_dns: Vec<String>,
    /// Refuse URIs at this host, written as for --permit-uri.
    #[arg(long, value_name = "HOST")]
    pub(crate) exclude_uri: Vec<String>,
}

impl NameFlags {
    /// These, and from `file` what these do not say.
    pub(crate) fn or(self, file: Self) -> Self {
        Self {
            org: self.org.or(file.org),
            common_name: self.common_name.or(file.common_name),
            organizational_unit: self.organizational_unit.or(file.organizational_unit),
            country: self.country.or(file.country),
            province: self.province.or(file.province),
            locality: self.locality.or(file.locality),
            street_address: self.street_address.or(file.street_address),
            postal_code: self.postal_code.or(file.postal_code),
        }
    }

    /// The name, empty where nothing was said.
    pub(crate) fn distinguished_name(self) -> DistinguishedName {
        let mut name = DistinguishedName::default();
        name.organization = self.org;
        name.common_name = self.common_name;
        name.organizational_unit = self.organizational_unit;
        name.country = self.country;
        name.province = self.province;
        name.locality = self.locality;
        name.street_address = self.street_address;
        name.postal_code = self.postal_code;
        name
    }
}

impl ConstraintFlags {
    /// These, and from `file` the kinds that these do not speak of.
    pub(crate) fn or(self, file: Self) -> Self {
        let or = |flags: Vec<String>, file| if flags.is_empty() { file } else { flags };
        Self {
            permit_email: or(self.permit_email, file.permit_email),
            permit_dns: or(self.permit_dns, file.permit_dns),
            permit_uri: or(self.permit_uri, file.permit_uri),
            exclude_email: or(self.exclude_email, file.exclude_email),
            exclude_dns: or(self.exclude_dns, file.exclude_dns),
            exclude_uri: or(self.exclude_uri, file.exclude_uri),
        }
    }

    pub(crate) fn name_constraints(self) -> Result<NameConstraints, Error> {
        use NameForm::{Dns, Email, Uri};
        Ok(NameConstraints {
            permitted: constraints([
                (Email, self.permit_email),
                (Dns, self.permit_dns),
                (Uri, self.permit_uri),
            ])?,
            excluded: constraints([
                (Email, self.exclude_email),
                (Dns, self.exclude_dns),
                (Uri, self.exclude_uri),
            ])?,
        })
    }
}

fn constraints(kinds: [(NameForm, Vec<String>); 3]) -> Result<Vec<NameConstraint>, Error> {
    kinds
        .into_iter()
        .flat_map(|(form, bases)| bases.into_iter().map(move |base| (form, base)))
        .map(|(form, base)| NameConstraint::new(form, base))
        .collect()
}
