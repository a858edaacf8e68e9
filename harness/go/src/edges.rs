//! Which happens-before edges a primitive draws.

/// Go has two notions of what is ordered, and they differ in places: what its documentation promises,
/// and what its race detector knows.
///
/// The difference matters for `sync.Cond` (the detector knows no edge at all), `sync.Map` (it knows
/// more), buffered channels of zero-size elements (it knows more), and `sync.WaitGroup` (it reports an
/// `Add` that is not ordered with the first `Wait` as a race). The types concerned have a constructor
/// `with_edges`; `new` takes [`Edges::Spec`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    /// The Go memory model of 2022 together with the package documentation.
    #[default]
    Spec,
    /// What a program built with `-race` sees: for comparing with reports of real runs.
    Detector,
}
