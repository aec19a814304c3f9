use core::str::FromStr;

/// How many authorities may be below one: a number, or `none` for as many as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathLength(pub(crate) Option<u8>);

impl FromStr for PathLength {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_not_a_number| SHAPE),
        }
    }
}

pub(crate) const SHAPE: &str = "a path length is a number from 0 to 255, or none for no limit";
