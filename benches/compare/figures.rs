//! What the rounds add up to: medians, spread, and ratios within a round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::Figures;

/// All rounds of one row and one contestant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    /// One entry a round; none where the cell failed.
    pub(crate) figures: Vec<Option<Figures>>,
    /// Why the last failed cell failed, or why there are none.
    pub(crate) trouble: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Some(Spread { median, min, max })
    }
}

impl Rounds {
    pub(crate) fn spread(&self, figure: &str) -> Option<Spread> {
        let values = self.figures.iter().flatten().filter_map(|f| f.get(figure).copied());
        Spread::of(values.collect())
    }

    /// All figures that any round had.
    pub(crate) fn spreads(&self) -> BTreeMap<&'static str, Spread> {
        let names = self.figures.iter().flatten().flat_map(|figures| figures.keys().copied());
        names.filter_map(|name| Some((name, self.spread(name)?))).collect()
    }

    /// The ratio to another contestant, round by round: what disturbs a round disturbs both.
    pub(crate) fn ratio(&self, base: &Rounds, figure: &str) -> Option<Spread> {
        let pairs = self.figures.iter().zip(&base.figures);
        let ratios = pairs.filter_map(|(ours, theirs)| {
            let (ours, theirs) = (ours.as_ref()?.get(figure)?, theirs.as_ref()?.get(figure)?);
            (*theirs > 0.0).then_some(ours / theirs)
        });
        Spread::of(ratios.collect())
    }

    /// The ratios of all figures that both have.
    pub(crate) fn ratios(&self, base: &Rounds) -> BTreeMap<&'static str, Spread> {
        let names = self.spreads().into_keys();
        names.filter_map(|name| Some((name, self.ratio(base, name)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[Option<f64>]) -> Rounds {
        let figures = values.iter().map(|v| v.map(|v| Figures::from([("cpu_ns", v)]))).collect();
        Rounds { figures, trouble: None }
    }

    #[test]
    fn median_of_odd_and_even() {
        let odd = Spread::of(vec![3.0, 1.0, 2.0]);
        assert_eq!(odd, Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        let even = Spread::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!(even.map(|s| s.median), Some(2.5));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn ratios_pair_rounds_and_skip_failed_ones() {
        let ours = rounds(&[Some(1.0), None, Some(9.0)]);
        let base = rounds(&[Some(2.0), Some(100.0), Some(3.0)]);
        let ratio = ours.ratio(&base, "cpu_ns");
        assert_eq!(ratio, Some(Spread { median: 1.75, min: 0.5, max: 3.0 }));
    }
}
