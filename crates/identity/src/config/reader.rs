use std::collections::{BTreeMap, HashSet};

use fulcio_principal::Extension;

use crate::Template;

use super::{
    CiMetadata, Concern, Config, ConfigError, IssuerConfig, Place, Problem, UnknownKeys, Warning,
    document::{self, Format, Node},
    issuer_rules::{self, Broken},
    keys::{self, Key},
    line::{Step, line_of},
};

/// Turns the text of one file into a [`Config`], and knows the place of everything it says.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    file_name: &'a str,
    unknown_keys: UnknownKeys,
    format: Format,
    warnings: Vec<Warning>,
}

/// The entries of one mapping, whose place is known.
#[derive(Clone, Copy, Debug)]
struct Table<'n> {
    entries: &'n [(String, Node)],
    format: Format,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, file_name: &'a str, unknown_keys: UnknownKeys) -> Self {
        Self {
            text,
            file_name,
            unknown_keys,
            format: Format::Yaml,
            warnings: Vec::new(),
        }
    }

    pub(super) fn read(mut self) -> Result<Config, ConfigError> {
        let (root, format) = document::read(self.text, keys::file_shape).map_err(|error| {
            let place = Place {
                line: error.line,
                keys: Vec::new(),
            };
            self.error_at(place, Problem::Syntax(error.message))
        })?;
        self.format = format;
        let root = Table::of(&root, format);
        self.check_keys(&[], root, keys::FILE)?;

        let ci_metadata = self.ci_metadata(root)?;
        let mut issuers = Vec::new();
        for section in [keys::OIDC_ISSUERS, keys::META_ISSUERS] {
            self.issuers(root, section, &ci_metadata, &mut issuers)?;
        }
        if issuers.is_empty() {
            self.warn(&[], Concern::NoIssuers);
        }
        Ok(Config {
            issuers,
            ci_metadata,
            warnings: self.warnings,
        })
    }

    fn issuers(
        &mut self,
        root: Table<'_>,
        section: Key,
        ci_metadata: &BTreeMap<String, CiMetadata>,
        issuers: &mut Vec<IssuerConfig>,
    ) -> Result<(), ConfigError> {
        let Some((section_key, entries)) = root.table(section) else {
            return Ok(());
        };
        self.check_keys(&[section_key], entries, &[])?;
        let mut names: Vec<(&str, usize)> = Vec::new();
        for (name, node) in entries.entries {
            let path = [section_key, name.as_str()];
            let table = entries.child(node);
            self.check_keys(&path, table, keys::ISSUER)?;

            let settings = issuer_rules::Settings {
                name,
                is_meta: section == keys::META_ISSUERS,
                ci_metadata,
                read: &|key| table.text(key),
                switch: &|key| table.switch(key),
            };
            let issuer = issuer_rules::check(&settings)
                .map_err(|broken| self.broken(&path, table, broken))?;
            for (other_name, other) in &names {
                if let Some(problem) = issuer_rules::conflict(&issuer, &issuers[*other], other_name)
                {
                    return Err(self.error(&steps(&path), problem));
                }
            }
            for (key, concern) in issuer_rules::concerns(&issuer) {
                let written = key.and_then(|key| table.written(key));
                let path: Vec<&str> = path.into_iter().chain(written).collect();
                self.warn(&path, concern);
            }
            names.push((name, issuers.len()));
            issuers.push(issuer);
        }
        Ok(())
    }

    fn ci_metadata(
        &mut self,
        root: Table<'_>,
    ) -> Result<BTreeMap<String, CiMetadata>, ConfigError> {
        let mut all = BTreeMap::new();
        let Some((section, providers)) = root.table(keys::CI_ISSUER_METADATA) else {
            return Ok(all);
        };
        self.check_keys(&[section], providers, &[])?;
        for (name, node) in providers.entries {
            let table = providers.child(node);
            self.check_keys(&[section, name], table, keys::METADATA)?;
            let mut metadata = CiMetadata::default();
            if let Some((key, node)) = table.entry(keys::SUBJECT_ALTERNATIVE_NAME_TEMPLATE) {
                metadata.subject_alternative_name_template =
                    self.template(&[section, name, key], node)?;
            }
            if let Some((key, values)) = table.table(keys::DEFAULT_TEMPLATE_VALUES) {
                self.check_keys(&[section, name, key], values, &[])?;
                let values = values.entries.iter();
                metadata.default_template_values = values
                    .map(|(key, node)| (key.clone(), text_of(node)))
                    .collect();
            }
            if let Some((key, templates)) = table.table(keys::EXTENSION_TEMPLATES) {
                metadata.extension_templates = self.templates(&[section, name, key], templates)?;
            }
            all.insert(name.clone(), metadata);
        }
        Ok(all)
    }

    fn templates(
        &mut self,
        path: &[&str],
        table: Table<'_>,
    ) -> Result<BTreeMap<Extension, Template>, ConfigError> {
        self.check_duplicates(path, table)?;
        let format = self.format;
        let mut templates = BTreeMap::new();
        for (written, node) in table.entries {
            let path: Vec<&str> = path.iter().copied().chain([written.as_str()]).collect();
            if let Some(extension) = keys::extension(written, format) {
                templates.insert(extension, self.template(&path, node)?);
            } else if Key::find(keys::FIXED_EXTENSIONS, written, format).is_some() {
                self.template(&path, node)?;
                self.warn(&path, Concern::FixedExtension);
            } else {
                let is_meant = keys::extension_spellings(format)
                    .chain(keys::spellings(keys::FIXED_EXTENSIONS, format))
                    .any(|name| keys::is_spelling(name, written, format));
                let nearest = keys::nearest(keys::extension_spellings(format), written);
                self.unknown(&path, nearest, is_meant)?;
            }
        }
        Ok(templates)
    }

    fn template(&self, path: &[&str], node: &Node) -> Result<Template, ConfigError> {
        Template::parse(&text_of(node))
            .map_err(|error| self.error(&steps(path), Problem::Template(error)))
    }

    /// Refuses keys that stand twice and, if `known` names any, keys that are not known.
    fn check_keys(
        &mut self,
        path: &[&str],
        table: Table<'_>,
        known: &[Key],
    ) -> Result<(), ConfigError> {
        self.check_duplicates(path, table)?;
        if known.is_empty() {
            return Ok(());
        }
        for (written, _) in table.entries {
            if Key::find(known, written, self.format).is_none() {
                let path: Vec<&str> = path.iter().copied().chain([written.as_str()]).collect();
                let nearest = keys::nearest(keys::spellings(known, self.format), written);
                let is_meant = Key::is_meant(known, written, self.format);
                self.unknown(&path, nearest, is_meant)?;
            }
        }
        Ok(())
    }

    /// Refuses keys that stand twice.
    fn check_duplicates(&self, path: &[&str], table: Table<'_>) -> Result<(), ConfigError> {
        let mut seen = HashSet::new();
        for (written, _) in table.entries {
            if !seen.insert(written) {
                let mut path = steps(path);
                path.push((written, 1));
                return Err(self.error(&path, Problem::DuplicateKey));
            }
        }
        Ok(())
    }

    /// A key that nothing reads. What Fulcio would read is refused in any case.
    fn unknown(
        &mut self,
        path: &[&str],
        nearest: Option<&'static str>,
        is_meant: bool,
    ) -> Result<(), ConfigError> {
        match self.unknown_keys {
            UnknownKeys::Tolerate if !is_meant => {
                self.warn(path, Concern::UnknownKey);
                Ok(())
            }
            UnknownKeys::Refuse | UnknownKeys::Tolerate => {
                Err(self.error(&steps(path), Problem::UnknownKey { nearest }))
            }
        }
    }

    fn broken(&self, issuer: &[&str], table: Table<'_>, broken: Broken) -> ConfigError {
        let mut path = steps(issuer);
        match broken {
            Broken::Missing { key, reason } => {
                let key = key.name(self.format);
                self.error(&path, Problem::Missing { key, reason })
            }
            Broken::Wrong { key, problem } => {
                path.extend(table.written(key).map(|key| (key, 0)));
                self.error(&path, problem)
            }
        }
    }

    fn warn(&mut self, path: &[&str], concern: Concern) {
        let place = self.place(&steps(path));
        self.warnings.push(Warning { place, concern });
    }

    fn error(&self, path: &[Step<'_>], problem: Problem) -> ConfigError {
        self.error_at(self.place(path), problem)
    }

    fn error_at(&self, place: Place, problem: Problem) -> ConfigError {
        ConfigError {
            file: self.file_name.to_owned(),
            place,
            problem,
        }
    }

    /// What came by a merge has no line of its own; then it is the line of what it came into.
    fn place(&self, path: &[Step<'_>]) -> Place {
        let line = (1..=path.len())
            .rev()
            .find_map(|length| line_of(self.text, self.format, &path[..length]));
        Place {
            line,
            keys: path.iter().map(|(key, _)| (*key).to_owned()).collect(),
        }
    }
}

impl<'n> Table<'n> {
    /// An empty value is an empty mapping.
    fn of(node: &'n Node, format: Format) -> Self {
        let entries: &[_] = match node {
            Node::Table(entries) => entries,
            Node::Bool(_) | Node::Ignored | Node::Null | Node::Text(_) => &[],
        };
        Self { entries, format }
    }

    fn child(self, node: &'n Node) -> Self {
        Self::of(node, self.format)
    }

    fn entry(self, key: Key) -> Option<(&'n str, &'n Node)> {
        let name = key.name(self.format);
        let (written, node) = self.entries.iter().find(|(written, _)| written == name)?;
        Some((written, node))
    }

    fn written(self, key: Key) -> Option<&'n str> {
        self.entry(key).map(|(written, _)| written)
    }

    fn table(self, key: Key) -> Option<(&'n str, Self)> {
        self.entry(key)
            .map(|(written, node)| (written, self.child(node)))
    }

    fn text(self, key: Key) -> String {
        self.entry(key)
            .map(|(_, node)| text_of(node))
            .unwrap_or_default()
    }

    /// Off if it is not there; its text if it is not a boolean.
    fn switch(self, key: Key) -> Result<bool, String> {
        match self.entry(key) {
            Some((_, Node::Bool(value))) => Ok(*value),
            Some((_, Node::Text(text))) => Err(text.clone()),
            Some((_, Node::Ignored | Node::Null | Node::Table(_))) | None => Ok(false),
        }
    }
}

fn text_of(node: &Node) -> String {
    match node {
        Node::Text(text) => text.clone(),
        Node::Bool(_) | Node::Ignored | Node::Null | Node::Table(_) => String::new(),
    }
}

fn steps<'k>(path: &[&'k str]) -> Vec<Step<'k>> {
    path.iter().map(|key| (*key, 0)).collect()
}
