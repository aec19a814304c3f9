use std::collections::BTreeMap;

/// The metrics page, read strictly: what Prometheus' text format does not allow is a failure.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) families: BTreeMap<String, Family>,
    pub(crate) samples: Vec<Sample>,
}

/// What is said of all series with one name.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
}

/// One series.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Page {
    pub(crate) fn read(text: String) -> Self {
        let mut families = BTreeMap::<_, Family>::new();
        let mut samples = Vec::new();
        let mut begun: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                let family = families.entry(name.to_owned()).or_default();
                assert!(family.help.is_empty(), "{name} has help twice");
                family.help = help.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                let family = families.entry(name.to_owned()).or_default();
                assert!(family.kind.is_empty(), "{name} has a type twice");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                family.kind = kind.to_owned();
                begun.push(name.to_owned());
            } else {
                let sample = Sample::read(line);
                let last = begun.last().unwrap();
                assert!(
                    sample.name.starts_with(last.as_str()),
                    "{line} is not of {last}, which was begun last"
                );
                samples.push(sample);
            }
        }
        Self {
            text,
            families,
            samples,
        }
    }

    /// The family of a series.
    pub(crate) fn family_of(&self, sample: &Sample) -> Option<&Family> {
        self.families.get(&sample.name).or_else(|| {
            let ends = ["_bucket", "_sum", "_count"];
            let name = ends.iter().find_map(|end| sample.name.strip_suffix(end))?;
            let family = self.families.get(name)?;
            (family.kind == "histogram").then_some(family)
        })
    }

    /// All series of a family.
    pub(crate) fn samples_of(&self, family: &str) -> Vec<&Sample> {
        let ends = ["", "_bucket", "_sum", "_count"].map(|end| format!("{family}{end}"));
        let samples = self.samples.iter();
        samples
            .filter(|sample| ends.contains(&sample.name))
            .collect()
    }

    /// The value of the one series with exactly these labels.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let mut found = self.samples.iter().filter(|sample| {
            sample.name == name
                && sample.labels.len() == labels.len()
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(*label).is_some_and(|v| v == value))
        });
        let sample = found.next();
        assert!(found.next().is_none(), "{name} {labels:?} is there twice");
        sample
            .unwrap_or_else(|| panic!("no {name} {labels:?} in\n{}", self.text))
            .value
    }

    /// Checks that each series of a histogram grows from bucket to bucket and ends in its count.
    /// How many buckets each has.
    #[track_caller]
    pub(crate) fn check_histogram(&self, name: &str) -> usize {
        let mut series = BTreeMap::<_, Vec<(f64, f64)>>::new();
        for sample in self
            .samples
            .iter()
            .filter(|s| s.name == format!("{name}_bucket"))
        {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").unwrap().parse().unwrap();
            series
                .entry(labels)
                .or_default()
                .push((bound, sample.value));
        }
        let mut lengths = series.iter().map(|(labels, buckets)| {
            assert!(
                buckets
                    .windows(2)
                    .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1),
                "{name} {labels:?}: {buckets:?}"
            );
            let labels: Vec<_> = labels
                .iter()
                .map(|(l, v)| (l.as_str(), v.as_str()))
                .collect();
            let count = self.value(&format!("{name}_count"), &labels);
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)));
            assert!(self.value(&format!("{name}_sum"), &labels) >= 0.0);
            buckets.len()
        });
        let first = lengths.next().unwrap();
        assert!(lengths.all(|length| length == first));
        first
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        assert!(is_name(name), "{line}");
        let mut found = BTreeMap::new();
        for label in labels
            .split_terminator("\",")
            .filter(|label| !label.is_empty())
        {
            let (name, value) = label.split_once("=\"").unwrap();
            let value = value.strip_suffix('"').unwrap_or(value);
            assert!(is_name(name) && !value.contains(['"', '\\']), "{line}");
            let before = found.insert(name.to_owned(), value.to_owned());
            assert!(before.is_none(), "{line}");
        }
        Self {
            name: name.to_owned(),
            labels: found,
            value: value.parse().unwrap(),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
