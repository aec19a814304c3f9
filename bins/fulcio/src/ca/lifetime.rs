use core::{str::FromStr, time::Duration};

use fulcio_cert_builder::Lifetime;

/// A lifetime as it is written: a number and a unit, as `10y`, `365d` or `87600h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenLifetime(pub(crate) Lifetime);

impl FromStr for WrittenLifetime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: u32 = number.parse().map_err(|_not_a_number| SHAPE)?;
        let seconds = match unit {
            _ if number == 0 => return Err(SHAPE),
            "y" => {
                let years = u16::try_from(number).map_err(|_too_many| SHAPE)?;
                return Ok(Self(Lifetime::Years(years)));
            }
            "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return Err(SHAPE),
        };
        let lifetime = Duration::from_secs(u64::from(number) * seconds);
        Ok(Self(Lifetime::Exactly(lifetime)))
    }
}

pub(crate) const SHAPE: &str = "a lifetime is a number and a unit: y (years), d (days), h (hours), m (minutes) or s (seconds), \
     such as 10y or 87600h";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<Lifetime> {
        text.parse::<WrittenLifetime>().ok().map(|it| it.0)
    }

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        let exactly = |seconds| Some(Lifetime::Exactly(Duration::from_secs(seconds)));
        assert_eq!(written("10y"), Some(Lifetime::Years(10)));
        assert_eq!(written("87600h"), exactly(315_360_000));
        assert_eq!(written("365d"), exactly(31_536_000));
        assert_eq!(written("90m"), exactly(5400));
        assert_eq!(written("1s"), exactly(1));
        for wrong in [
            "",
            "y",
            "10",
            "0y",
            "-1y",
            "1.5y",
            "10 y",
            "10Y",
            "70000y",
            "1h30m",
            "99999999999s",
            "+1y",
        ] {
            assert_eq!(written(wrong), None, "{wrong}");
        }
    }
}
